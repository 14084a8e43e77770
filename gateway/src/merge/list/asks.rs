//! How many rows to ask each leg for: as few as are likely to make the page, and what it still needs when that is known.
//!
//! Where the order begins with the cluster, as the default one does, the first clusters fill the page and the others are
//! asked for little more than their totals. Where rows of all clusters mix, each is asked for its share and some more, and
//! later for what it is likely to add to the page, going by what it added so far.
//!
//! Legs that are asked at once share the bytes of the page as they share its rows: the answers of a hundred clusters take no
//! more room together than that of one, but for what each has in any case.

use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::sort::{Direction, RowKey};

use crate::fleet::ClusterView;
use crate::limits::{LEG_BYTES, PAGE_BYTES_FACTOR};
use crate::request::{LegId, ListQuery, legs};

use super::ListMerge;
use super::leg::RowId;

/// What to ask a leg for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    pub leg: LegId,
    pub rows: u32,
    /// What they may take on their way; one row may always come.
    pub bytes: u64,
    /// Only rows behind this one.
    pub after: Option<RowKey>,
}

/// Rows that a leg is asked for beyond what it is expected to add: enough for the few that a narrow question finds in each
/// cluster, too few to be felt.
const SPARE: usize = 8;

impl ListMerge {
    /// What to ask every leg for at first. Where this is not called, each may send as many rows as the page has.
    pub fn begin(&mut self) -> Vec<Ask> {
        let sizes = std::mem::take(&mut self.first);
        self.asks(sizes)
    }

    /// What to ask for when `needed` must go on: more of it, and of those that will have to go on soon, so that few rounds
    /// make a page. Nothing where its answer is still under way.
    pub fn go_on(&mut self, needed: LegId) -> Vec<Ask> {
        if !self.is_paused(needed) {
            return Vec::new();
        }
        let left = self.limit.saturating_sub(self.rows.len()).max(1);
        let sizes = match &self.turns {
            Some(turns) => self.in_turn(turns, needed, left),
            None => self.mixed(needed, left),
        };
        self.rounds += 1;
        self.asks(sizes)
    }

    /// The paused legs that fill the rest of the page, one after the other, going by what their heads said.
    fn in_turn(&self, turns: &[LegId], needed: LegId, mut left: usize) -> Vec<(LegId, usize)> {
        let mut sizes = Vec::new();
        for leg in turns.iter().skip_while(|leg| **leg != needed) {
            let state = &self.legs[leg.0];
            left = left.saturating_sub(state.window.len());
            if left > 0 && self.is_paused(*leg) {
                sizes.push((*leg, left));
            }
            left = left.saturating_sub(state.unsent());
        }
        sizes
    }

    /// `needed` for the rest of the page, which may be all its own. Of the others, those whose rows will not last if they
    /// add to the page as they did so far, for twice that; and for a few, those whose rows end soonest.
    fn mixed(&self, needed: LegId, left: usize) -> Vec<(LegId, usize)> {
        let soonest = self.next_to_run_dry(needed);
        let paused = (0..self.legs.len()).map(LegId).filter(|leg| self.is_paused(*leg));
        let size = |leg: LegId| {
            let state = &self.legs[leg.0];
            let likely = left * state.shown / self.rows.len().max(1);
            let rows = if leg == needed {
                left
            } else if likely > state.window.len() {
                2 * likely + SPARE - state.window.len()
            } else if soonest.contains(&leg) {
                SPARE
            } else {
                return None;
            };
            Some((leg, rows.min(left).min(state.unsent().max(SPARE))))
        };
        paused.filter_map(size).collect()
    }

    /// Paused legs beside `needed` whose rows end soonest: twice as many with each round.
    fn next_to_run_dry(&self, needed: LegId) -> Vec<LegId> {
        let paused = (0..self.legs.len()).map(LegId).filter(|leg| *leg != needed && self.is_paused(*leg));
        let mut ends: Vec<(&RowKey, LegId)> =
            paused.filter_map(|leg| Some((self.legs[leg.0].last_key.as_ref()?, leg))).collect();
        ends.sort_by(|(a, _), (b, _)| a.compare(b, &self.directions));
        let others = (1_usize << self.rounds.min(16)) - 1;
        ends.into_iter().map(|(_, leg)| leg).take(others).collect()
    }

    fn asks(&mut self, sizes: Vec<(LegId, usize)>) -> Vec<Ask> {
        let all_rows = sizes.iter().map(|(_, rows)| *rows as u64).sum::<u64>().max(1);
        let all_bytes = PAGE_BYTES_FACTOR * self.max_bytes as u64;
        let bytes = |rows: usize| LEG_BYTES + all_bytes * rows as u64 / all_rows;
        sizes.into_iter().map(|(leg, rows)| self.ask(leg, rows as u32, bytes(rows))).collect()
    }

    fn ask(&mut self, leg: LegId, rows: u32, bytes: u64) -> Ask {
        let shown = self.rows.iter().filter(|row| row.leg == leg).map(|row| RowId::from(&row.key));
        let state = &mut self.legs[leg.0];
        state.known = shown.chain(state.window.iter().map(|row| RowId::from(&row.key))).collect();
        state.ask(rows);
        Ask { leg, rows, bytes, after: state.last_key.as_ref().or(self.after.as_ref()).cloned() }
    }
}

/// The legs whose turn is one after the other, in that order; `None` where their rows mix.
pub(super) fn turns(query: &ListQuery) -> Option<Vec<LegId>> {
    let directions = query.page.order.directions();
    let mut turns: Vec<_> = legs(&query.targets).map(|(leg, cluster)| (front(query, cluster), leg)).collect();
    turns.sort_by(|(a, _), (b, _)| a.compare(b, &directions));
    let mix = |pair: &[(RowKey, LegId)]| pair[0].0 == pair[1].0;
    (!turns.windows(2).any(mix)).then(|| turns.into_iter().map(|(_, leg)| leg).collect())
}

/// How many rows each leg of the request is asked for at first.
pub(super) fn first(query: &ListQuery, turns: Option<&[LegId]>) -> Vec<(LegId, usize)> {
    let limit = query.page.limit as usize;
    let sizes: Vec<(LegId, usize)> = match turns {
        Some(turns) => {
            let mut left = limit;
            turns.iter().map(|leg| (*leg, in_turn(query, *leg, &mut left))).collect()
        }
        None => {
            let asked: Vec<_> = legs(&query.targets).map(|(leg, _)| leg).collect();
            let share = 2 * limit.div_ceil(asked.len().max(1));
            let share = if asked.len() == 1 { limit } else { share + SPARE };
            asked.into_iter().map(|leg| (leg, share)).collect()
        }
    };
    sizes.into_iter().map(|(leg, rows)| (leg, rows.min(limit))).collect()
}

/// What is left of the page for a leg when its turn comes; `left` is reduced by what it is expected to have.
fn in_turn(query: &ListQuery, leg: LegId, left: &mut usize) -> usize {
    let cluster = &query.targets[leg.0].cluster;
    if !cluster.link.is_usable() || is_behind(query, cluster) {
        return SPARE;
    }
    let rows = (*left).max(SPARE);
    *left -= expected(cluster, &query.kind).unwrap_or(*left).min(*left);
    rows
}

/// A key that comes before those of all rows of a cluster.
fn front(query: &ListQuery, cluster: &ClusterView) -> RowKey {
    let values = query.page.order.leading_constants(cluster);
    RowKey { values, namespace: String::new(), name: String::new(), uid: String::new() }
}

/// Whether earlier pages showed all rows of a cluster.
fn is_behind(query: &ListQuery, cluster: &ClusterView) -> bool {
    let Some(resume) = &query.page.resume else { return false };
    let directions: Vec<Direction> = query.page.order.directions();
    let front = front(query, cluster);
    let mut reached = resume.after.clone();
    reached.values.truncate(front.values.len());
    (reached.namespace, reached.name, reached.uid) = Default::default();
    front.compare(&reached, &directions).is_lt()
}

fn expected(cluster: &ClusterView, kind: &GroupResource) -> Option<usize> {
    cluster.last_known_objects(kind).map(|objects| usize::try_from(objects).unwrap_or(usize::MAX))
}
