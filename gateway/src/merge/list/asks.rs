//! How many rows to ask each leg for: as few as are likely to make the page, and what it still needs when that is known.
//!
//! Where the order begins with the cluster, as the default one does, the first clusters fill the page and the others are
//! asked for little more than their totals. Where rows of all clusters mix, each is asked for its share and some more.

use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::sort::{Direction, RowKey};

use crate::fleet::ClusterView;
use crate::request::{LegId, ListQuery, legs};

/// What to ask a leg for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    pub leg: LegId,
    pub rows: u32,
    /// Only rows behind this one.
    pub after: Option<RowKey>,
}

/// Rows that a leg is asked for beyond what it is expected to add: enough for the few that a narrow question finds in each
/// cluster, too few to be felt.
const SPARE: usize = 8;

/// The legs whose turn is one after the other, in that order; `None` where their rows mix.
pub(super) fn turns(query: &ListQuery) -> Option<Vec<LegId>> {
    let directions = query.page.order.directions();
    let mut turns: Vec<_> = legs(&query.targets).map(|(leg, cluster)| (front(query, cluster), leg)).collect();
    turns.sort_by(|(a, _), (b, _)| a.compare(b, &directions));
    let mix = |pair: &[(RowKey, LegId)]| pair[0].0 == pair[1].0;
    (!turns.windows(2).any(mix)).then(|| turns.into_iter().map(|(_, leg)| leg).collect())
}

/// One ask for each leg of the request.
pub(super) fn first(query: &ListQuery, turns: Option<&[LegId]>) -> Vec<Ask> {
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
    let after = query.page.resume.as_ref().map(|resume| &resume.after);
    let ask = |(leg, rows): (LegId, usize)| Ask { leg, rows: rows.min(limit) as u32, after: after.cloned() };
    sizes.into_iter().map(ask).collect()
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
