//! What callers were answered, whole pages as they were rendered.

use std::collections::BTreeMap;
use std::sync::Arc;

use kubeplex_proto::call::Freshness;
use kubeplex_proto::events::EventQuestion;
use tokio::time::Instant;

use super::Kept;
use super::flights::{Flights, Lead, Seat};
use super::key::Key;
use super::metrics::{Metrics, Outcome};
use super::seen::Seen;
use super::weight::{Weighs, of_text};
use crate::admit::{Admitted, Effort};
use crate::clock::Steady;
use crate::identify::Caller;
use crate::policy::Permit;
use crate::registry::{LinkId, Registry};
use crate::render::{Again, Lasting, Rendered, Reply, Written};
use crate::request::{CallOptions, ListQuery, Output, PageQuery, Request, Standing, Target};
use crate::telemetry::Telemetry;
use crate::tools::Tool;
use crate::trace::{LegTrace, Trace};

/// Pages of one caller that other calls landed while this one waited for one of its own: then it asks for itself.
const FLIGHTS_MISSED: usize = 2;

/// All of them. One for all calls of a gateway.
pub(crate) struct KeptPages {
    kept: Kept<Page>,
    flights: Flights<Arc<Page>>,
    registry: Registry,
    metrics: Metrics,
}

/// A page that was shown, and what must be as it was for it to be shown again.
#[derive(Debug)]
pub(crate) struct Page {
    key: Key,
    stamps: Vec<Stamp>,
    rendered: Arc<Lasting>,
    /// For traces.
    legs: Arc<[LegTrace]>,
}

/// What one cluster vouched for.
#[derive(Debug)]
struct Stamp {
    link: LinkId,
    revision: u64,
    labels: Arc<BTreeMap<String, String>>,
}

/// What all clusters of a question vouch for.
struct Known {
    stamps: Vec<Stamp>,
    /// The oldest of their proofs.
    vouched: Steady,
    /// The first of them to say no more is believed until then.
    until: Instant,
}

/// What is known of a page before it is asked for.
pub(crate) enum Sight {
    Kept(Shown),
    Wanted(Wanted),
    /// Not to be kept: not a list, or of a cluster that can't vouch for its rows.
    Passing,
}

/// A page that is kept once it is there.
pub(crate) struct Wanted {
    key: Key,
    stamps: Vec<Stamp>,
}

/// What is to be done for a call.
pub(crate) enum Turn<'a> {
    /// To give it this.
    Show(Shown),
    /// To ask.
    Ask(Keep<'a>),
}

/// A page that is given again, and what its clusters vouch for.
pub(crate) struct Shown {
    pub(super) page: Arc<Page>,
    pub(super) vouched: Steady,
    pub(super) until: Instant,
}

/// Where what is asked for goes, if anywhere.
pub(crate) struct Keep<'a>(Option<Place<'a>>);

struct Place<'a> {
    pages: &'a KeptPages,
    query: &'a ListQuery,
    wanted: Wanted,
    lead: Lead<'a, Arc<Page>>,
}

impl KeptPages {
    /// Keeps about so many bytes.
    pub(crate) fn new(bytes: u64, registry: Registry, telemetry: &Telemetry) -> Self {
        Self {
            kept: Kept::new(bytes),
            flights: Flights::new(),
            registry,
            metrics: Metrics::of_pages(telemetry),
        }
    }

    /// Looks for the page that a permit is for. `seen` is what was seen of it when the same question was asked before.
    pub(crate) fn look(&self, tool: &Tool, permit: &Permit, seen: &Seen, now: Instant) -> Sight {
        if let Some(shown) = seen.of(permit, now) {
            return Sight::Kept(shown);
        }
        match permit.request() {
            Request::List(query) if self.kept.is_on() && query.options.freshness == Freshness::Cache => {
                let Some(key) = key(tool.name, permit.caller(), query) else { return Sight::Passing };
                let sight = self.look_up(key, query, now);
                if let Sight::Kept(shown) = &sight {
                    seen.note(permit, shown);
                }
                sight
            }
            _ => Sight::Passing,
        }
    }

    fn look_up(&self, key: Key, query: &ListQuery, now: Instant) -> Sight {
        let Some(known) = self.known(query) else { return Sight::Passing };
        match self.kept.get(&key).filter(|page| page.shows(&known, now)) {
            Some(page) => Sight::Kept(Shown { page, vouched: known.vouched, until: known.until }),
            None => Sight::Wanted(Wanted { key, stamps: known.stamps }),
        }
    }

    /// What all clusters of a question vouch for.
    fn known(&self, query: &ListQuery) -> Option<Known> {
        let (mut oldest, mut until) = (None::<Steady>, None::<Instant>);
        let stamp = |target: &Target| {
            let asked = target.standing == Standing::Asked;
            let vouched = asked.then(|| self.registry.vouched(&target.cluster.id, &query.kind)).flatten()?;
            oldest = oldest.into_iter().chain([vouched.as_of]).min();
            until = until.into_iter().chain([vouched.until]).min();
            Some(Stamp { link: vouched.link, revision: vouched.revision, labels: vouched.labels })
        };
        let stamps = query.targets.iter().map(stamp).collect::<Option<Vec<_>>>()?;
        Some(Known { stamps, vouched: oldest?, until: until? })
    }

    /// Whether a call that was let in has to ask, or can be shown what is kept or what another call is getting.
    pub(crate) async fn turn<'a>(&'a self, sight: Sight, admitted: &'a Admitted, now: Instant) -> Turn<'a> {
        let Request::List(query) = admitted.request() else { return Turn::Ask(Keep(None)) };
        // What was seen may have become too old while the call waited to be let in.
        let sight = match sight {
            Sight::Kept(shown) if !shown.holds(now) => self.look_up(shown.page.key.clone(), query, now),
            sight => sight,
        };
        match sight {
            Sight::Kept(shown) => self.show(shown),
            Sight::Wanted(wanted) => self.share(wanted, query).await,
            Sight::Passing => Turn::Ask(Keep(None)),
        }
    }

    /// Asks for a page, or waits for who does so already.
    async fn share<'a>(&'a self, mut wanted: Wanted, query: &'a ListQuery) -> Turn<'a> {
        for _ in 0..FLIGHTS_MISSED {
            match self.flights.join(wanted.key.clone()) {
                Seat::Leads(lead) => {
                    self.metrics.count(Outcome::Missed);
                    return Turn::Ask(Keep(Some(Place { pages: self, query, wanted, lead })));
                }
                Seat::Follows(following) => {
                    let Some(page) = following.wait().await else { break };
                    let Some(known) = self.known(query) else { break };
                    if page.shows(&known, Instant::now()) {
                        return self.show(Shown { page, vouched: known.vouched, until: known.until });
                    }
                    // It was asked for before something changed.
                    wanted.stamps = known.stamps;
                }
            }
        }
        self.metrics.count(Outcome::Missed);
        Turn::Ask(Keep(None))
    }

    fn show(&self, shown: Shown) -> Turn<'_> {
        self.metrics.count(Outcome::Hit);
        Turn::Show(shown)
    }
}

impl Shown {
    /// Whether it still is what would be answered, after whatever the call waited for.
    pub(super) fn holds(&self, now: Instant) -> bool {
        now < self.until && self.page.holds(self.vouched, now)
    }

    /// As it is now: beside the age of its data nothing of it has changed.
    pub(crate) fn reply(&self, trace: &Trace) -> Reply {
        trace.shown_again(Arc::clone(&self.page.legs));
        let age_ms = self.page.age_ms(self.vouched, Steady::now());
        Reply::Written(Written::new(Arc::clone(&self.page.rendered), age_ms))
    }
}

/// Everything that decides what a page says, beside what its clusters hold; `None` where something else does, too.
fn key(tool: &str, caller: &Caller, query: &ListQuery) -> Option<Key> {
    // In full, so that whoever adds to a question decides here whether it makes another page.
    let ListQuery {
        targets: _,
        kind,
        scope,
        version,
        namespaces,
        label_selector,
        field_selector,
        events,
        search,
        usage,
        page,
        options,
        understood: _,
    } = query;
    let PageQuery { fields, order, limit, resume, fingerprint, group } = page;
    // A page that is kept covers every cluster, so it meets whatever coverage is wanted.
    let CallOptions { timeout_ms: _, max_bytes, output, freshness, min_coverage: _ } = options;
    // Counts are not kept, nor what goes by the time of the call, nor what no kind's revision vouches for.
    let moves = events.as_deref().is_some_and(EventQuestion::moves);
    if group.is_some() || search.is_some() || *usage || moves {
        return None;
    }
    let rows = (kind, scope, version, namespaces, label_selector, field_selector, events);
    // Of the set of clusters a hash is enough: what is shown is decided by their stamps.
    let shown = (fields, order, limit, resume.as_ref().map(|resume| &resume.after), fingerprint.expected);
    Key::of(&(tool, caller, rows, shown, freshness, max_bytes, *output == Output::Json))
}

impl Page {
    /// Whether it is what would be answered now, where this is what clusters vouch for.
    fn shows(&self, known: &Known, now: Instant) -> bool {
        self.stamps == known.stamps && self.holds(known.vouched, now)
    }

    /// The same where their oldest proof is of `vouched`, and the rest is as it was.
    fn holds(&self, vouched: Steady, now: Instant) -> bool {
        let now = Steady::at(now);
        self.rendered.holds(now, self.age_ms(vouched, now))
    }

    /// Both are true; agents may have told before or after this page what they know.
    fn age_ms(&self, vouched: Steady, now: Steady) -> u64 {
        now.since_ms(self.rendered.as_of().max(vouched))
    }
}

impl PartialEq for Stamp {
    fn eq(&self, other: &Self) -> bool {
        let Self { link, revision, labels } = self;
        (*link, *revision) == (other.link, other.revision)
            && (Arc::ptr_eq(labels, &other.labels) || *labels == other.labels)
    }
}

impl Sight {
    /// What the call will have to do once it is let in.
    pub(crate) fn effort(&self) -> Effort {
        match self {
            Self::Kept(_) => Effort::Show,
            Self::Wanted(_) | Self::Passing => Effort::Ask,
        }
    }
}

impl Keep<'_> {
    /// Keeps what was answered, if it may be shown again and every cluster answered over the link that vouches for it.
    pub(crate) fn keep(self, again: Option<Again>, rendered: &Rendered, trace: &Trace) {
        let (Some(place), Some(again)) = (self.0, again) else { return };
        let Place { pages, query, wanted: Wanted { key, stamps }, lead } = place;
        let Some(Known { stamps: now, .. }) = pages.known(query) else { return };
        // Links are never used again, so one that is there before and after was there all the time.
        let same_links = stamps.iter().zip(&now).all(|(before, now)| before.link == now.link);
        let up_to_date = again.revisions().iter().zip(&stamps).all(|(shown, stamp)| *shown >= stamp.revision);
        if !same_links || !up_to_date {
            return;
        }
        let Some(rendered) = again.page(rendered) else { return };
        let legs = trace.legs().into();
        let page = Arc::new(Page { key: key.clone(), stamps, rendered: Arc::new(rendered), legs });
        pages.kept.insert(key, Arc::clone(&page));
        lead.land(page);
    }
}

impl Weighs for Page {
    fn weight(&self) -> usize {
        let stamps = self.stamps.len() * size_of::<Stamp>();
        let legs = self.legs.len() * (size_of::<LegTrace>() + of_text(""));
        size_of::<Self>() + size_of::<Lasting>() + stamps + legs + self.rendered.bytes()
    }
}
