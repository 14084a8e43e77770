//! Logs, as a gateway asks for them.

mod pods;

use kubeplex_proto::events::Moment;
use kubeplex_proto::gather::{GatherFrame, GatherHead};
use kubeplex_proto::log::{
    LogItem, LogLine, LogLines, LogOver, LogPodsRequest, LogRequest, LogSource, PodName,
};
use kubeplex_proto::status::{AgentErrorCode, LegStatus, Source};
use kubeplex_proto::visibility::{Reach, VisibilityRule};
use serde_json::{Value, json};
use simcluster::{Fault, FaultAction, Gvr, Rule, Subject, Verb};

use super::*;

/// What was read of a question.
struct Read {
    head: GatherHead,
    sources: Vec<LogSource>,
    lines: Vec<LogLine>,
    over: Vec<LogOver>,
    templates: Vec<(u64, String)>,
}

fn pods_request(kind: &str, namespace: &str, name: &str) -> LogPodsRequest {
    let patterns = |text: &str| if text.is_empty() { vec![] } else { vec![Pattern::new(text)] };
    LogPodsRequest {
        context: context(),
        kind: kind.parse().unwrap(),
        version: None,
        namespaces: patterns(namespace),
        names: patterns(name),
        label_selector: "".parse().unwrap(),
        limit: 21,
    }
}

fn log_request(pods: &[(&str, &str)]) -> LogRequest {
    let pod =
        |(namespace, name): &(&str, &str)| PodName { namespace: (*namespace).into(), name: (*name).into() };
    LogRequest {
        context: context(),
        pods: pods.iter().map(pod).collect(),
        container: None,
        lines: LogLines { tail: 100, ..LogLines::default() },
        follow_ms: 0,
        patterns: false,
    }
}

impl World {
    async fn pods(&self, request: &LogPodsRequest) -> (GatherHead, Vec<PodName>) {
        let (mut head, mut pods) = (None, Vec::new());
        for frame in self.ask::<GatherFrame<PodName>>(paths::LOG_PODS, request).await.unwrap() {
            match frame {
                GatherFrame::Head(first) => head = Some(*first),
                GatherFrame::Items(more) => pods.extend(more),
                GatherFrame::End(_) => {}
            }
        }
        (head.unwrap(), pods)
    }

    async fn read(&self, request: &LogRequest) -> Read {
        let (mut head, mut ended) = (None, false);
        let (mut sources, mut lines, mut over, mut templates) = (vec![], vec![], vec![], vec![]);
        for frame in self.ask::<GatherFrame<LogItem>>(paths::LOG, request).await.unwrap() {
            assert!(!ended, "{frame:?} after the end");
            match frame {
                GatherFrame::Head(first) => head = Some(*first),
                GatherFrame::End(_) => ended = true,
                GatherFrame::Items(items) => {
                    for item in items {
                        match item {
                            LogItem::Source(source) => sources.push(source),
                            LogItem::Lines(more) => {
                                assert!(more.len() <= 64);
                                lines.extend(more);
                            }
                            LogItem::Over(told) => over.push(told),
                            LogItem::Templates { templates: told, .. } => {
                                templates.extend(told.into_iter().map(|told| (told.count, told.text)));
                            }
                        }
                    }
                }
            }
        }
        assert!(ended, "it broke off");
        Read { head: head.unwrap(), sources, lines, over, templates }
    }
}

impl Read {
    fn texts(&self) -> Vec<&str> {
        self.lines.iter().map(|line| line.text.as_str()).collect()
    }

    fn said(&self) -> String {
        let messages: Vec<_> = self.over.iter().filter_map(|over| over.message.clone()).collect();
        messages.join("; ")
    }
}

/// A pod of containers in these states.
fn pod(name: &str, containers: &[(&str, Value)]) -> Value {
    let specs: Vec<_> = containers.iter().map(|(name, _)| json!({"name": name, "image": "x"})).collect();
    let statuses: Vec<_> = containers
        .iter()
        .map(|(name, state)| {
            let mut status =
                json!({"name": name, "ready": true, "restartCount": 0, "image": "x", "imageID": ""});
            status.as_object_mut().unwrap().extend(state.as_object().unwrap().clone());
            status
        })
        .collect();
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": name}},
        "spec": {"nodeName": "n", "containers": specs},
        "status": {"phase": "Running", "containerStatuses": statuses},
    })
}

fn running() -> Value {
    json!({"state": {"running": {}}})
}

fn one_pod() -> World {
    let world = World::start();
    world.sim.apply(pod("web", &[("main", running())])).unwrap();
    world
}

impl World {
    fn write(&self, text: &str) {
        self.sim.write_log(["default", "web", "main"], text);
    }
}

const WEB: [(&str, &str); 1] = [("default", "web")];

#[tokio::test(start_paused = true)]
async fn what_nobody_may_see_is_neither_found_nor_read() {
    let world = one_pod();
    world.write("secret");
    let rule = |kinds: &str, namespace: &str| {
        VisibilityRule::of(Reach::of([Pattern::new(kinds)]), Reach::of([Pattern::new(namespace)]))
    };
    for hidden in [
        Visibility::nothing(),
        Visibility::of(vec![rule("pods", "shop")]),
        Visibility::of(vec![rule("nodes", "*")]),
    ] {
        let mut asked = pods_request("pods", "", "web");
        asked.context.visibility = hidden.clone();
        assert_eq!(world.pods(&asked).await.0.total, 0, "{hidden:?}");
        let mut read = log_request(&WEB);
        read.context.visibility = hidden;
        let read = world.read(&read).await;
        assert!(read.lines.is_empty());
        assert_eq!(read.said(), "the pod is gone");
    }
}

#[tokio::test(start_paused = true)]
async fn the_newest_lines_come_redacted_with_their_times() {
    let world = one_pod();
    for at in 0..30 {
        world.write(&format!("line {at} token=hunter{at}"));
        sleep(Duration::from_secs(1)).await;
    }
    let lines = LogLines { tail: 3, ..LogLines::default() };
    let read = world.read(&LogRequest { lines, ..log_request(&WEB) }).await;
    assert_eq!((read.head.status, read.head.source), (LegStatus::Ok, Source::Live));
    assert_eq!(
        read.texts(),
        ["line 27 token=[redacted]", "line 28 token=[redacted]", "line 29 token=[redacted]"]
    );
    let times: Vec<_> = read.lines.iter().map(|line| line.at_ns.unwrap()).collect();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 1_000_000_000), "{times:?}");
    assert!(world.asked("/log?")[0].uri.contains("tailLines=3"), "the server need not send more");
    let lines = LogLines { tail: 2, grep: Some("line 1".into()), ..LogLines::default() };
    let read = world.read(&LogRequest { lines, ..log_request(&WEB) }).await;
    assert_eq!(read.texts(), ["line 18 token=[redacted]", "line 19 token=[redacted]"]);
    assert_eq!(read.over[0].matched, 11);
    let lines = LogLines { tail: 9, grep: Some("hunter".into()), ..LogLines::default() };
    assert!(world.read(&LogRequest { lines, ..log_request(&WEB) }).await.lines.is_empty());
    let lines = LogLines {
        tail: 9,
        since: Some(Moment::Ago(4_500)),
        until: Some(Moment::Ago(1_500)),
        ..LogLines::default()
    };
    let read = world.read(&LogRequest { lines, ..log_request(&WEB) }).await;
    assert_eq!(read.texts().len(), 3, "{:?}", read.texts());
    let patterns = world.read(&LogRequest { patterns: true, ..log_request(&WEB) }).await;
    assert_eq!(patterns.templates, [(30, "line <n> token=[redacted]".to_owned())]);
    assert!(patterns.lines.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_has_no_log_is_said_of_each_container() {
    let world = World::start();
    let ended = |code: i64| json!({"terminated": {"exitCode": code, "finishedAt": "2026-01-01T00:00:00Z"}});
    let crashed = json!({"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ended(1), "restartCount": 4});
    let waiting = |reason: &str| json!({"state": {"waiting": {"reason": reason}}});
    for object in [
        pod("new", &[("main", waiting("ContainerCreating"))]),
        pod("pull", &[("main", waiting("ImagePullBackOff"))]),
        pod("crash", &[("main", crashed), ("side", running())]),
    ] {
        world.sim.apply(object).unwrap();
    }
    let mut unscheduled = pod("unscheduled", &[("main", running())]);
    unscheduled["spec"].as_object_mut().unwrap().shift_remove("nodeName");
    world.sim.apply(unscheduled).unwrap();
    for (name, container, previous, said, lines) in [
        ("new", None, false, "it has not started: ContainerCreating", false),
        ("pull", None, false, "it has not started: trying and failing to pull image", false),
        ("crash", None, true, "it has not restarted: there is no log of an earlier run", true),
        ("crash", Some("main"), false, "", true),
        (
            "crash",
            Some("mian"),
            false,
            "it has no container \"mian\"; did you mean main? there are main, side",
            false,
        ),
        ("unscheduled", None, false, "it has no node yet, so nothing of it has run", false),
        ("gone", None, false, "the pod is gone", false),
    ] {
        let mut request = log_request(&[("default", name)]);
        request.container = container.map(str::to_owned);
        request.lines.previous = previous;
        let read = world.read(&request).await;
        assert_eq!((read.said().as_str(), !read.lines.is_empty()), (said, lines), "{name}");
        assert!(read.over.iter().all(|over| !over.unread), "{name}: nothing is missing that there is");
        assert_eq!(read.head.status, LegStatus::Ok);
    }
    let bad = LogLines { tail: 1, grep: Some("(".into()), ..LogLines::default() };
    let refused =
        world.ask::<Value>(paths::LOG, &LogRequest { lines: bad, ..log_request(&WEB) }).await.unwrap_err();
    assert_eq!(refused.code, AgentErrorCode::InvalidArgument);
}

#[tokio::test(start_paused = true)]
async fn logs_are_read_as_the_caller_who_may_or_not_at_all() {
    let policy = acting_for_ann_and_bob()
        .grant(Subject::User("ann".into()), Rule::new("get", "pods/log").in_namespace("default"))
        .grant(Subject::User("bob".into()), Rule::new("get,list", "pods"));
    let world = World::of(SimConfig { policy, ..small() }, config());
    world.sim.apply(pod("web", &[("main", running())])).unwrap();
    world.write("hello");
    let read = world.read(&log_request(&WEB)).await;
    assert_eq!(read.texts(), ["hello"]);
    let asked = world.asked("/log?");
    assert!(asked.iter().all(|asked| asked.caller() == Some("ann")), "{asked:?}");
    let mut request = log_request(&WEB);
    request.context.caller.user = "bob".into();
    let read = world.read(&request).await;
    assert_eq!((read.head.status, read.sources.len()), (LegStatus::Forbidden, 0));
    let message = read.head.message.unwrap();
    assert!(message.contains("bob may not get pods/log \"web\" in the namespace default"), "{message}");
    assert_eq!(world.asked("/log?").len(), asked.len(), "nothing was sent for bob");
    let other = world
        .sim
        .objects(&Gvr::core("pods"))
        .into_iter()
        .find(|pod| pod["metadata"]["namespace"] != "default");
    let other = other.unwrap();
    let place = ["namespace", "name"].map(|field| other["metadata"][field].as_str().unwrap());
    let read = world.read(&log_request(&[("default", "web"), (place[0], place[1])])).await;
    assert_eq!(read.texts(), ["hello"]);
    assert!(
        read.over.iter().any(|over| over.unread) && read.said().contains("ann may not get pods/log"),
        "{}",
        read.said()
    );
}

#[tokio::test(start_paused = true)]
async fn new_lines_come_as_long_as_they_are_waited_for() {
    let world = one_pod();
    world.write("old");
    let follow = LogRequest { follow_ms: 5_000, ..log_request(&WEB) };
    let began = tokio::time::Instant::now();
    let writes = async {
        for at in 0..10 {
            sleep(Duration::from_millis(1_100)).await;
            world.write(&format!("new {at}"));
        }
    };
    let (read, ()) = tokio::join!(world.read(&follow), writes);
    assert_eq!(read.texts(), ["old", "new 0", "new 1", "new 2", "new 3"]);
    assert!(began.elapsed() >= Duration::from_secs(5));
    assert_eq!(read.over[0].message, None);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_or_hangs_costs_its_container_and_no_more_than_the_time() {
    for (action, said) in [
        (FaultAction::Status { code: 500, message: "dial tcp: refused".into() }, "dial tcp: refused"),
        (FaultAction::Hang, "nothing of it was read in time"),
    ] {
        let world = one_pod();
        world.write("hello");
        world.pods(&pods_request("pods", "", "web")).await;
        world.sim.faults().add(Fault::new(action).verb(Verb::Get).resource("pods"));
        let began = tokio::time::Instant::now();
        let read = world.read(&log_request(&WEB)).await;
        assert!(began.elapsed() <= Duration::from_secs(10), "{:?}", began.elapsed());
        assert!(read.over[0].unread && read.said().contains(said), "{}", read.said());
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_a_call_ends_its_reads_at_the_server() {
    let world = one_pod();
    world.write("hello");
    let follow = LogRequest {
        follow_ms: 60_000,
        context: CallContext { deadline_ms: 100_000, ..context() },
        ..log_request(&WEB)
    };
    let given_up = timeout(Duration::from_secs(3), world.read(&follow)).await;
    assert!(given_up.is_err());
    world.until(|world| world.sim.stats().dropped_by_client > 0).await;
}
