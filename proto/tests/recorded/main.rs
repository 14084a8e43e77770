//! What earlier versions say must still be read, and what this one says must still be theirs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod reader;

use std::collections::BTreeSet;
use std::path::Path;

use kubeplex_proto::PROTOCOL;
use kubeplex_proto::call::Freshness;
use kubeplex_proto::changes::{ChangesItem, ChangesRequest, Class, Deed, GapReason};
use kubeplex_proto::column::CellFormat;
use kubeplex_proto::control::{AgentFrame, GatewayFrame, SyncState};
use kubeplex_proto::digest::{DigestItem, DigestRequest, IntentRequest, Look, ObjectIntent};
use kubeplex_proto::events::Moment;
use kubeplex_proto::explain::{ExplainRequest, Field};
use kubeplex_proto::gather::GatherFrame;
use kubeplex_proto::get::{GetFrame, GetRequest};
use kubeplex_proto::health::{HealthFacts, HealthRequest};
use kubeplex_proto::kind::Scope;
use kubeplex_proto::list::{ColumnChoice, ListFrame, ListRequest};
use kubeplex_proto::log::{LogItem, LogPodsRequest, LogRequest, PodName};
use kubeplex_proto::problems::{Problem, ProblemSeverity, ProblemsRequest};
use kubeplex_proto::search::{Comparison, Condition, NotSearched, Phrase};
use kubeplex_proto::selector::LabelTest;
use kubeplex_proto::sheet::{Sheet, SheetRequest};
use kubeplex_proto::sort::{Direction, KeyValue, SortBy};
use kubeplex_proto::status::{AgentError, AgentErrorCode, LegStatus, Source};
use kubeplex_proto::visibility::{ClusterScoped, Reach};

use reader::read;

type ChangesFrame = GatherFrame<ChangesItem>;
type ProblemsFrame = GatherFrame<Problem>;

/// Names the variants of a closed set. A variant that is added and not named here does not compile, and one that is named and
/// in no fixture fails.
macro_rules! kinds {
    ($of:ident, $set:ident { $($variant:ident $fields:tt),* $(,)? }) => {
        fn $of(value: &$set) -> &'static str {
            match value { $(kinds!(@pattern $set $variant $fields) => stringify!($variant)),* }
        }
        impl All for $set {
            const ALL: &'static [&'static str] = &[$(stringify!($variant)),*];
        }
    };
    (@pattern $set:ident $variant:ident ()) => { $set::$variant };
    (@pattern $set:ident $variant:ident {..}) => { $set::$variant { .. } };
    (@pattern $set:ident $variant:ident (_)) => { $set::$variant(_) };
}

type HealthFrame = GatherFrame<HealthFacts>;

trait All {
    const ALL: &'static [&'static str];
}

kinds!(agent_frame, AgentFrame { Hello(_), Report(_) });
kinds!(gateway_frame, GatewayFrame { Welcome(_), Refused(_), Heartbeat() });
kinds!(list_frame, ListFrame { Head(_), Rows(_), Groups(_), End(_), Unchanged(_) });
kinds!(moment, Moment { Ago(_), At(_) });
kinds!(gather_frame, HealthFrame { Head(_), Items(_), End(_) });
kinds!(condition, Condition { Word(_), Kind(_), Namespace(_), Name(_), Image(_), Label(_), Node(_), Status(_), Restarts(_), Age(_) });
kinds!(phrase, Phrase { Part(_), Glob(_) });
kinds!(comparison, Comparison { Less(), AtMost(), Equal(), AtLeast(), More() });
kinds!(not_searched, NotSearched { NotWatched(), OnlyByName(), Syncing(), Forbidden(), Error() });
kinds!(get_frame, GetFrame { Head(_), Object(_), End(_) });
kinds!(changes_frame, ChangesFrame { Head(_), Items(_), End(_) });
kinds!(changes_item, ChangesItem { Change(_), Gap(_) });
kinds!(deed, Deed { Created(), Changed(), Replaced(), DeletionAsked(), Deleted(), Followed() });
kinds!(class, Class { Image(), Scale(), Data(), Spec(), Label(), Status() });
kinds!(gap_reason, GapReason { NotRecorded(), Restart(), Overrun(), Relist(), Stale(), TooMany() });
kinds!(problems_frame, ProblemsFrame { Head(_), Items(_), End(_) });
kinds!(problem_severity, ProblemSeverity { Info(), Warning(), Critical() });
kinds!(digest_item, DigestItem { Kind(_), Object(_) });
kinds!(look, Look { Taken(), Absent(), Forbidden(), NotWatched(), Unknown() });
kinds!(log_item, LogItem { Source(_), Lines(_), Over(_), Templates {..} });
kinds!(sync_state, SyncState { Syncing(), Synced(), Stale(), Forbidden(), Absent(), Error() });
kinds!(leg_status, LegStatus { Ok(), Absent(), Syncing(), Stale(), Disconnected(), Forbidden(), Timeout(), Error() });
kinds!(source, Source { Cache(), Fill(), Live() });
kinds!(scope, Scope { Namespaced(), Cluster() });
kinds!(cell_format, CellFormat { Plain(), Age(), Cpu(), Memory() });
kinds!(freshness, Freshness { Cache(), Live() });
kinds!(direction, Direction { Ascending(), Descending() });
kinds!(columns, ColumnChoice { Usual(), Wide(), Fields(_) });
kinds!(sort_by, SortBy { Field(_), Constant(_) });
kinds!(key_value, KeyValue { Number(_), Text(_), Missing() });
kinds!(label_test, LabelTest { Exists(), Missing(), In(_), NotIn(_), GreaterThan(_), LessThan(_) });
kinds!(reach, Reach { All(), Only(_) });
kinds!(cluster_scoped, ClusterScoped { Usual(), Shown() });
kinds!(error_code, AgentErrorCode { InvalidArgument(), Forbidden(), Timeout(), TooLarge(), Unavailable(), Internal() });

fn complete<T: All>(values: impl IntoIterator<Item = &'static str>) {
    let found: BTreeSet<_> = values.into_iter().collect();
    let missing: Vec<_> = T::ALL.iter().filter(|name| !found.contains(*name)).collect();
    assert!(missing.is_empty(), "{}: no fixture has {missing:?}", std::any::type_name::<T>());
}

#[test]
fn every_version_that_is_spoken_is_read_and_every_frame_has_a_fixture() {
    for version in PROTOCOL.min..=PROTOCOL.max {
        let agents: Vec<AgentFrame> = read(version, "agent-frames");
        complete::<AgentFrame>(agents.iter().map(agent_frame));
        complete::<GatewayFrame>(read(version, "gateway-frames").iter().map(gateway_frame));
        let reports = || {
            agents.iter().filter_map(|frame| match frame {
                AgentFrame::Report(report) => Some(report),
                AgentFrame::Hello(_) => None,
            })
        };
        complete::<SyncState>(reports().flat_map(|report| &report.kinds).map(|kind| sync_state(&kind.state)));
        let kinds = reports().filter_map(|report| report.discovery.as_ref()).flat_map(|table| &table.kinds);
        complete::<Scope>(kinds.map(|kind| scope(&kind.scope)));
        let errors: Vec<AgentError> = read(version, "errors");
        complete::<AgentErrorCode>(errors.iter().map(|error| error_code(&error.code)));
    }
}

#[test]
fn lists_of_every_version_are_read() {
    for version in PROTOCOL.min..=PROTOCOL.max {
        let requests: Vec<ListRequest> = read(version, "list-requests");
        complete::<ColumnChoice>(requests.iter().map(|request| columns(&request.columns)));
        complete::<Freshness>(requests.iter().map(|request| freshness(&request.context.freshness)));
        let terms = || requests.iter().flat_map(|request| &request.sort);
        complete::<SortBy>(terms().map(|term| sort_by(&term.by)));
        complete::<Direction>(terms().map(|term| direction(&term.direction)));
        let tests = requests.iter().flat_map(|request| &request.label_selector.requirements);
        complete::<LabelTest>(tests.map(|requirement| label_test(&requirement.test)));
        let keys = requests.iter().filter_map(|request| request.after.as_ref());
        complete::<KeyValue>(keys.flat_map(|key| &key.values).map(key_value));
        let events = requests.iter().filter_map(|request| request.events.as_ref());
        complete::<Moment>(events.flat_map(|events| [&events.since, &events.until]).flatten().map(moment));
        let terms =
            || requests.iter().filter_map(|request| request.search.as_ref()).flat_map(|search| &search.terms);
        complete::<Condition>(terms().map(|term| condition(&term.condition)));
        let phrases = terms().filter_map(|term| match &term.condition {
            Condition::Word(of) => Some(phrase(of)),
            _ => None,
        });
        complete::<Phrase>(phrases);
        let bounds = terms().filter_map(|term| match &term.condition {
            Condition::Restarts(bound) | Condition::Age(bound) => Some(comparison(&bound.comparison)),
            _ => None,
        });
        complete::<Comparison>(bounds);
        let rules = || requests.iter().flat_map(|request| request.context.visibility.rules());
        complete::<Reach>(rules().flat_map(|rule| [&rule.kinds, &rule.namespaces, &rule.names]).map(reach));
        complete::<ClusterScoped>(rules().map(|rule| cluster_scoped(&rule.cluster_scoped)));

        let frames: Vec<ListFrame> = read(version, "list-frames");
        complete::<ListFrame>(frames.iter().map(list_frame));
        let heads = || {
            frames.iter().filter_map(|frame| match frame {
                ListFrame::Head(head) => Some(head),
                _ => None,
            })
        };
        complete::<LegStatus>(heads().map(|head| leg_status(&head.status)));
        complete::<Source>(heads().map(|head| source(&head.source)));
        let searches = heads().filter_map(|head| head.search.as_ref());
        complete::<NotSearched>(searches.flat_map(|search| search.not_searched.keys()).map(not_searched));
        complete::<CellFormat>(
            heads().flat_map(|head| &head.columns).map(|column| cell_format(&column.format)),
        );
    }
}

#[test]
fn objects_of_every_version_are_read() {
    for version in PROTOCOL.min..=PROTOCOL.max {
        assert!(!read::<GetRequest>(version, "get-requests").is_empty());
        complete::<GetFrame>(read(version, "get-frames").iter().map(get_frame));
    }
}

#[test]
fn changes_of_every_version_are_read() {
    for version in PROTOCOL.min..=PROTOCOL.max {
        assert!(!read::<ChangesRequest>(version, "changes-requests").is_empty());
        let frames: Vec<ChangesFrame> = read(version, "changes-frames");
        complete::<ChangesFrame>(frames.iter().map(changes_frame));
        let items = || {
            frames.iter().flat_map(|frame| match frame {
                GatherFrame::Items(items) => items.as_slice(),
                GatherFrame::Head(_) | GatherFrame::End(_) => &[],
            })
        };
        complete::<ChangesItem>(items().map(changes_item));
        let changes = || {
            items().filter_map(|item| match item {
                ChangesItem::Change(change) => Some(change),
                ChangesItem::Gap(_) => None,
            })
        };
        complete::<Deed>(changes().map(|change| deed(&change.deed)));
        complete::<Class>(changes().flat_map(|change| &change.fields).map(|field| class(&field.class)));
        complete::<GapReason>(items().filter_map(|item| match item {
            ChangesItem::Gap(gap) => Some(gap_reason(&gap.reason)),
            ChangesItem::Change(_) => None,
        }));
    }
}

#[test]
fn problems_of_every_version_are_read() {
    for version in PROTOCOL.min..=PROTOCOL.max {
        let requests: Vec<ProblemsRequest> = read(version, "problems-requests");
        complete::<ProblemSeverity>(requests.iter().map(|request| problem_severity(&request.severity)));
        complete::<ProblemsFrame>(read(version, "problems-frames").iter().map(problems_frame));
    }
}

#[test]
fn fields_of_every_version_are_read() {
    for version in PROTOCOL.min..=PROTOCOL.max {
        assert!(!read::<ExplainRequest>(version, "explain-requests").is_empty());
        assert!(!read::<GatherFrame<Field>>(version, "explain-frames").is_empty());
    }
}

#[test]
fn logs_of_every_version_are_read() {
    for version in PROTOCOL.min..=PROTOCOL.max {
        assert!(!read::<LogPodsRequest>(version, "log-pods-requests").is_empty());
        assert!(!read::<LogRequest>(version, "log-requests").is_empty());
        assert!(!read::<GatherFrame<PodName>>(version, "log-pods-frames").is_empty());
        let frames: Vec<GatherFrame<LogItem>> = read(version, "log-frames");
        let items = frames.iter().filter_map(|frame| match frame {
            GatherFrame::Items(items) => Some(items),
            GatherFrame::Head(_) | GatherFrame::End(_) => None,
        });
        complete::<LogItem>(items.flatten().map(log_item));
    }
}

#[test]
fn the_health_of_clusters_is_read() {
    for version in PROTOCOL.min..=PROTOCOL.max {
        assert!(!read::<HealthRequest>(version, "health-requests").is_empty());
        let frames: Vec<HealthFrame> = read(version, "health-frames");
        complete::<HealthFrame>(frames.iter().map(gather_frame));
    }
}

#[test]
fn descriptions_of_every_version_are_read() {
    for version in PROTOCOL.min..=PROTOCOL.max {
        let requests: Vec<SheetRequest> = read(version, "sheet-requests");
        assert!(requests.iter().any(|request| request.logs) && requests.iter().any(|request| !request.logs));
        let frames: Vec<GatherFrame<Sheet>> = read(version, "sheet-frames");
        let sheets = || {
            frames.iter().filter_map(|frame| match frame {
                GatherFrame::Items(sheets) => Some(sheets),
                GatherFrame::Head(_) | GatherFrame::End(_) => None,
            })
        };
        assert!(sheets().flatten().any(|sheet| sheet.logs.is_some() && !sheet.not_told.is_empty()));
    }
}

#[test]
fn comparisons_of_every_version_are_read() {
    for version in PROTOCOL.min..=PROTOCOL.max {
        assert!(!read::<DigestRequest>(version, "digest-requests").is_empty());
        assert!(!read::<IntentRequest>(version, "intent-requests").is_empty());
        assert!(!read::<GatherFrame<ObjectIntent>>(version, "intent-frames").is_empty());
        let frames: Vec<GatherFrame<DigestItem>> = read(version, "digest-frames");
        let items = || {
            frames.iter().flat_map(|frame| match frame {
                GatherFrame::Items(items) => items.as_slice(),
                GatherFrame::Head(_) | GatherFrame::End(_) => &[],
            })
        };
        complete::<DigestItem>(items().map(digest_item));
        complete::<Look>(items().filter_map(|item| match item {
            DigestItem::Kind(told) => Some(look(&told.state)),
            DigestItem::Object(_) => None,
        }));
    }
}

/// The fixtures of what is sent to each path and comes back from it.
const OF_PATHS: [(&str, &str, &str); 14] = [
    ("LIST", "list-requests", "list-frames"),
    ("SEARCH", "list-requests", "list-frames"),
    ("USAGE", "list-requests", "list-frames"),
    ("DIGESTS", "digest-requests", "digest-frames"),
    ("INTENTS", "intent-requests", "intent-frames"),
    ("GET", "get-requests", "get-frames"),
    ("CHANGES", "changes-requests", "changes-frames"),
    ("PROBLEMS", "problems-requests", "problems-frames"),
    ("EXPLAIN", "explain-requests", "explain-frames"),
    ("LOG_PODS", "log-pods-requests", "log-pods-frames"),
    ("LOG", "log-requests", "log-frames"),
    ("SHEET", "sheet-requests", "sheet-frames"),
    ("HEALTH", "health-requests", "health-frames"),
    ("CONTROL", "gateway-frames", "agent-frames"),
];

#[test]
fn every_path_has_fixtures() {
    let paths = include_str!("../../src/lib.rs").lines().filter_map(|line| {
        line.trim().strip_prefix("pub const ")?.split_once(": &str = \"/").map(|(name, _)| name)
    });
    // A link carries what the others say.
    let paths: BTreeSet<_> = paths.filter(|name| *name != "LINK").collect();
    assert_eq!(paths, OF_PATHS.iter().map(|(name, ..)| *name).collect());
    for version in PROTOCOL.min..=PROTOCOL.max {
        for name in OF_PATHS.iter().flat_map(|(_, requests, frames)| [requests, frames]) {
            let path = format!("tests/fixtures/v{version}/{name}.jsonl");
            assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(&path).exists(), "{path}");
        }
    }
}

/// What was left out by those who had nothing to say in it, or did not know it yet.
#[test]
fn what_may_be_left_out_is() {
    let hello = r#"{"hello":{"protocol":{"min":1,"max":1},"agentVersion":"0","cluster":"a","instance":"i","epoch":1}}"#;
    assert!(matches!(serde_json::from_str(hello).unwrap(), AgentFrame::Hello(_)));
    let welcome = r#"{"welcome":{"protocol":1,"heartbeatMs":4000}}"#;
    let GatewayFrame::Welcome(terms) = serde_json::from_str(welcome).unwrap() else { panic!("no welcome") };
    assert_eq!((terms.lost_after_ms, terms.max_age_ms, terms.standby), (None, None, false));
    let context = r#"{"callId":"c","deadlineMs":1,"caller":{"user":"u"},"visibility":[],"maxBytes":1,"freshness":"cache"}"#;
    let kind = r#"{"group":"","resource":"pods"}"#;
    let list: ListRequest =
        serde_json::from_str(&format!(r#"{{"context":{context},"kind":{kind},"limit":1}}"#)).unwrap();
    assert_eq!((list.columns, list.after), (ColumnChoice::Usual, None));
    let code: AgentError = serde_json::from_str(r#"{"code":"of_tomorrow","message":"m"}"#).unwrap();
    assert_eq!(code.code, AgentErrorCode::Internal);
}
