//! From a value along the steps of a path.
//!
//! Values are handed to a visitor as they are found, so that nothing is collected that the caller does not want.

use std::ops::ControlFlow;

use serde_json::Value;

use super::Step;

/// Visits every value that the steps lead to.
pub(super) fn each<'a>(steps: &[Step], value: &'a Value, found: &mut dyn FnMut(&'a Value)) {
    let _ = visit(steps, value, &mut |value, _| {
        found(value);
        ControlFlow::Continue(())
    });
}

/// The first value that the steps lead to.
pub(super) fn first<'a>(steps: &[Step], value: &'a Value) -> Option<&'a Value> {
    let mut first = None;
    let _ = visit(steps, value, &mut |value, _| {
        first = Some(value);
        ControlFlow::Break(())
    });
    first
}

/// Visits every place that the steps lead to, with the keys and indexes that lead there.
pub(super) fn places<'a>(steps: &[Step], value: &'a Value, found: &mut dyn FnMut(&'a Value, &[Place<'a>])) {
    let _ = visit(steps, value, &mut |value, trail| {
        found(value, trail);
        ControlFlow::Continue(())
    });
}

/// A key or an index that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place<'a> {
    Key(&'a str),
    Index(usize),
}

type Found<'f, 'a> = dyn FnMut(&'a Value, &[Place<'a>]) -> ControlFlow<()> + 'f;

fn visit<'a>(steps: &[Step], value: &'a Value, found: &mut Found<'_, 'a>) -> ControlFlow<()> {
    Walk { trail: Vec::new(), found }.take(steps, value)
}

struct Walk<'w, 'f, 'a> {
    trail: Vec<Place<'a>>,
    found: &'w mut Found<'f, 'a>,
}

impl<'a> Walk<'_, '_, 'a> {
    fn take(&mut self, steps: &[Step], value: &'a Value) -> ControlFlow<()> {
        let Some((step, rest)) = steps.split_first() else { return (self.found)(value, &self.trail) };
        self.step(step, rest, value)
    }

    fn step(&mut self, step: &Step, rest: &[Step], value: &'a Value) -> ControlFlow<()> {
        match (step, value) {
            (Step::Key(key), Value::Object(map)) => match map.get_key_value(key) {
                Some((key, inner)) => self.into(Place::Key(key), rest, inner),
                None => ControlFlow::Continue(()),
            },
            (Step::Index(index), Value::Array(items)) => match resolve(*index, items.len()) {
                Some(at) if at < items.len() => self.into(Place::Index(at), rest, &items[at]),
                _ => ControlFlow::Continue(()),
            },
            (Step::Slice { from, to, by }, Value::Array(items)) => slice(*from, *to, *by, items.len())
                .try_for_each(|at| self.into(Place::Index(at), rest, &items[at])),
            (Step::Each, value) => self.inner(value, &mut |walk, place, inner| walk.into(place, rest, inner)),
            (Step::Descend, value) => self.descend(rest, value),
            (Step::Any(steps), value) => steps.iter().try_for_each(|step| self.step(step, rest, value)),
            (Step::Where(filter), Value::Array(items)) => items
                .iter()
                .enumerate()
                .filter(|(_, item)| filter.passes(item))
                .try_for_each(|(at, item)| self.into(Place::Index(at), rest, item)),
            (Step::Key(_) | Step::Index(_) | Step::Slice { .. } | Step::Where(_), _) => {
                ControlFlow::Continue(())
            }
        }
    }

    fn into(&mut self, place: Place<'a>, rest: &[Step], value: &'a Value) -> ControlFlow<()> {
        self.trail.push(place);
        let flow = self.take(rest, value);
        self.trail.pop();
        flow
    }

    fn descend(&mut self, rest: &[Step], value: &'a Value) -> ControlFlow<()> {
        self.take(rest, value)?;
        self.inner(value, &mut |walk, place, inner| {
            walk.trail.push(place);
            let flow = walk.descend(rest, inner);
            walk.trail.pop();
            flow
        })
    }

    fn inner(
        &mut self,
        value: &'a Value,
        visit: &mut dyn FnMut(&mut Self, Place<'a>, &'a Value) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match value {
            Value::Object(map) => map.iter().try_for_each(|(key, inner)| visit(self, Place::Key(key), inner)),
            Value::Array(items) => {
                items.iter().enumerate().try_for_each(|(at, inner)| visit(self, Place::Index(at), inner))
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

/// A place counted from the end where negative; `None` before the start.
fn resolve(index: i64, length: usize) -> Option<usize> {
    let index = if index < 0 { index.checked_add_unsigned(length as u64)? } else { index };
    usize::try_from(index).ok()
}

fn slice(from: Option<i64>, to: Option<i64>, by: i64, length: usize) -> impl Iterator<Item = usize> {
    let bound = |bound: i64| resolve(bound, length).unwrap_or(0).min(length);
    let range = from.map_or(0, bound)..to.map_or(length, bound);
    range.step_by(usize::try_from(by).unwrap_or(1).max(1))
}
