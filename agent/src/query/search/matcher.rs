//! Which rows of one kind match, where, and why. Objects are not decoded: what counts is in the rows, and what many rows
//! share is looked at once.

use std::cell::Cell;

use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::search::{Bound, Condition, LabelTest, Phrase, Place, Search, any, any_part, place_of};

use super::shown::status_cell;
use crate::cache::{CellRef, KindShape, KindStore, RowRef, TextRef};

/// A search, as far as it concerns one kind.
pub(in crate::query) struct Matcher<'a> {
    probes: Vec<Probe<'a>>,
    /// Where the row that passed last matched best.
    place: &'a Cell<Place>,
}

struct Probe<'a> {
    negated: bool,
    test: Test<'a>,
}

enum Test<'a> {
    Word(Word<'a>),
    Namespace(&'a [Pattern]),
    Name(&'a [Pattern]),
    Label(&'a [LabelTest], Verdicts),
    Image(&'a [Phrase], usize, Verdicts),
    Node(&'a [Pattern], usize, Verdicts),
    Status(&'a [Pattern], usize, Verdicts),
    Restarts(Bound, usize),
    Age(Bound, i64),
}

/// Free text in what a row has.
struct Word<'a> {
    phrase: &'a Phrase,
    is_kind: bool,
    label_sets: Verdicts,
    /// Of texts as keys of labels.
    keys: Verdicts,
    /// Of texts as values of labels and of cells.
    texts: Verdicts,
}

/// What was found out of things by their numbers, while the lock is held.
#[derive(Default)]
struct Verdicts(Vec<Option<bool>>);

impl<'a> Matcher<'a> {
    /// `None` where no object of the kind can match. `now_ms` is the cluster's time.
    pub(super) fn new(
        shape: &KindShape,
        search: &'a Search,
        now_ms: i64,
        place: &'a Cell<Place>,
    ) -> Option<Self> {
        let mut probes = Vec::with_capacity(search.terms.len());
        // Kinds that are not meant were left out before.
        let of_objects = search.terms.iter().filter(|term| !matches!(term.condition, Condition::Kind(_)));
        for term in of_objects {
            // What the kind can't have, none of its objects has.
            match (test(shape, &term.condition, now_ms), term.negated) {
                (Some(test), negated) => probes.push(Probe { negated, test }),
                (None, true) => {}
                (None, false) => return None,
            }
        }
        Some(Self { probes, place })
    }

    /// Prepares for rows that are read under one lock.
    pub(in crate::query) fn begin(&mut self, store: &KindStore) {
        for probe in &mut self.probes {
            match &mut probe.test {
                Test::Word(word) => {
                    word.label_sets.begin(store.label_set_bound());
                    word.keys.begin(store.text_bound());
                    word.texts.begin(store.text_bound());
                }
                Test::Label(_, verdicts) => verdicts.begin(store.label_set_bound()),
                Test::Image(_, _, verdicts) | Test::Node(_, _, verdicts) | Test::Status(_, _, verdicts) => {
                    verdicts.begin(store.text_bound());
                }
                Test::Namespace(_) | Test::Name(_) | Test::Restarts(..) | Test::Age(..) => {}
            }
        }
    }

    /// Whether the name of every row is looked at.
    pub(in crate::query) fn reads_names(&self) -> bool {
        self.probes.iter().any(|probe| matches!(probe.test, Test::Word(_) | Test::Name(_)))
    }

    pub(in crate::query) fn passes(&mut self, row: RowRef<'_>) -> bool {
        let mut best = Place::Elsewhere;
        for probe in &mut self.probes {
            match probe.test.place(row) {
                Some(place) if !probe.negated => best = best.min(place),
                None if probe.negated => {}
                _ => return false,
            }
        }
        self.place.set(best);
        true
    }

    /// Why a row passes: what each term found, each once.
    pub(super) fn reasons(&self, shape: &KindShape, row: RowRef<'_>) -> Vec<String> {
        let mut reasons: Vec<String> = Vec::new();
        for probe in self.probes.iter().filter(|probe| !probe.negated) {
            if let Some(reason) = probe.test.reason(shape, row)
                && !reasons.contains(&reason)
            {
                reasons.push(reason);
            }
        }
        reasons
    }
}

/// `None` for what no object of the kind has.
fn test<'a>(shape: &KindShape, condition: &'a Condition, now_ms: i64) -> Option<Test<'a>> {
    Some(match condition {
        Condition::Word(phrase) => Test::Word(Word::new(shape, phrase)),
        Condition::Kind(_) => return None,
        Condition::Namespace(patterns) => Test::Namespace(patterns),
        Condition::Name(patterns) => Test::Name(patterns),
        Condition::Label(tests) => Test::Label(tests, Verdicts::default()),
        Condition::Image(phrases) => Test::Image(phrases, shape.image_cell()?, Verdicts::default()),
        Condition::Node(patterns) => {
            let at = shape.indexed_paths().iter().position(|path| *path == "spec.nodeName")?;
            Test::Node(patterns, shape.narrow_columns() + at, Verdicts::default())
        }
        Condition::Status(patterns) => Test::Status(patterns, status_cell(shape)?, Verdicts::default()),
        Condition::Restarts(bound) => Test::Restarts(*bound, shape.narrow_column("restarts")?),
        Condition::Age(bound) => Test::Age(*bound, now_ms),
    })
}

impl Test<'_> {
    /// Where the row matches, if it does.
    fn place(&mut self, row: RowRef<'_>) -> Option<Place> {
        let holds = match self {
            Self::Word(word) => return word.place(row),
            Self::Name(patterns) => return best_place(patterns, row.name()),
            Self::Namespace(patterns) => row.namespace().is_some_and(|namespace| any(patterns, namespace)),
            Self::Label(tests, verdicts) => {
                verdicts.of(row.label_set(), || row.labels().any(|label| holds(tests, label)))
            }
            Self::Image(phrases, at, verdicts) => of_text(row, *at, verdicts, |text| {
                text.split(',').any(|image| phrases.iter().any(|phrase| phrase.is_in(image)))
            }),
            Self::Node(patterns, at, verdicts) => of_text(row, *at, verdicts, |text| any(patterns, text)),
            Self::Status(patterns, at, verdicts) => {
                of_text(row, *at, verdicts, |text| any_part(patterns, text))
            }
            Self::Restarts(bound, at) => {
                matches!(row.cell(*at), CellRef::Integer(restarts) if bound.holds(restarts))
            }
            Self::Age(bound, now_ms) => {
                row.created_ms().is_some_and(|created| bound.holds(now_ms.saturating_sub(created)))
            }
        };
        holds.then_some(Place::Elsewhere)
    }

    /// What it found in a row that matches, where the usual columns do not show it anyway.
    fn reason(&self, shape: &KindShape, row: RowRef<'_>) -> Option<String> {
        match self {
            Self::Word(word) => word.reason(shape, row),
            Self::Name(_) => Some("name".to_owned()),
            Self::Label(tests, _) => row.labels().find(|label| holds(tests, *label)).map(said_label),
            Self::Image(phrases, at, _) => {
                let images = row.text(*at)?.read();
                let is_meant = |image: &&str| phrases.iter().any(|phrase| phrase.is_in(image));
                images.split(',').find(is_meant).map(|image| format!("image {image}"))
            }
            Self::Node(_, at, _) => row.text(*at).map(|node| format!("node {}", node.read())),
            Self::Restarts(_, at) => match row.cell(*at) {
                CellRef::Integer(restarts) => Some(format!("restarts {restarts}")),
                _ => None,
            },
            Self::Namespace(_) | Self::Status(..) | Self::Age(..) => None,
        }
    }
}

impl<'a> Word<'a> {
    fn new(shape: &KindShape, phrase: &'a Phrase) -> Self {
        let whole = |text: &str| phrase.place_in(text.as_bytes()) == Some(Place::WholeName);
        Self {
            phrase,
            is_kind: whole(&shape.kind) || whole(&shape.id.resource),
            label_sets: Verdicts::default(),
            keys: Verdicts::default(),
            texts: Verdicts::default(),
        }
    }

    fn place(&mut self, row: RowRef<'_>) -> Option<Place> {
        let phrase = self.phrase;
        if let Some(place) = phrase.place_in(row.name_bytes()) {
            return Some(place);
        }
        let (keys, texts) = (&mut self.keys, &mut self.texts);
        let mut is_in = |text: TextRef<'_>| texts.of(text.number(), || phrase.is_in(text.read()));
        let elsewhere = self.is_kind
            || self.label_sets.of(row.label_set(), || {
                row.label_texts().any(|(key, value)| {
                    is_in(value) || keys.of(key.number(), || phrase.is_in(told_by_key(key.read())))
                })
            })
            || row.texts().any(is_in);
        elsewhere.then_some(Place::Elsewhere)
    }

    fn reason(&self, shape: &KindShape, row: RowRef<'_>) -> Option<String> {
        if self.phrase.place_in(row.name_bytes()).is_some() {
            return Some("name".to_owned());
        }
        if self.is_kind {
            return Some("kind".to_owned());
        }
        let label = row.labels().find(|(key, value)| is_in_label(self.phrase, key, value));
        if let Some(label) = label {
            return Some(said_label(label));
        }
        let text = |at| {
            row.text(at).map(TextRef::read).filter(|text| self.phrase.is_in(text)).map(|text| (at, text))
        };
        let (at, text) = (0..shape.cells()).find_map(text)?;
        Some(match named_cell(shape, at) {
            Some(column) => column.to_owned(),
            None => {
                let image = text.split(',').find(|image| self.phrase.is_in(image));
                format!("image {}", image.unwrap_or(text))
            }
        })
    }
}

impl Verdicts {
    fn begin(&mut self, bound: usize) {
        self.0.clear();
        self.0.resize(bound, None);
    }

    fn of(&mut self, number: usize, decide: impl FnOnce() -> bool) -> bool {
        *self.0[number].get_or_insert_with(decide)
    }
}

fn of_text(row: RowRef<'_>, at: usize, verdicts: &mut Verdicts, decide: impl FnOnce(&str) -> bool) -> bool {
    row.text(at).is_some_and(|text| verdicts.of(text.number(), || decide(text.read())))
}

fn best_place(patterns: &[Pattern], name: &str) -> Option<Place> {
    patterns.iter().filter_map(|pattern| place_of(pattern, name)).min()
}

fn holds(tests: &[LabelTest], (key, value): (&str, &str)) -> bool {
    tests.iter().any(|test| test.holds(key, value))
}

fn is_in_label(phrase: &Phrase, key: &str, value: &str) -> bool {
    phrase.is_in(value) || phrase.is_in(told_by_key(key))
}

/// A key says what it is about behind its prefix, which half of all keys share.
fn told_by_key(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

fn said_label((key, value): (&str, &str)) -> String {
    format!("label {key}={value}")
}

/// What a cell is called that is not the images.
fn named_cell(shape: &KindShape, at: usize) -> Option<&str> {
    let mut narrow = shape.columns.defs().iter().filter(|def| !def.wide);
    let behind = at.checked_sub(shape.narrow_columns());
    match behind {
        None => narrow.nth(at).map(|def| def.column.name.as_str()),
        Some(at) => shape.indexed_paths().get(at).copied(),
    }
}
