//! The engine by a model: whatever changed, once it has settled its verdicts are those of a judgement of everything anew.

use kubeplex_proto::selector::{LabelRequirement, LabelSelector, LabelTest};
use parking_lot::Mutex;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::analysers::Judges;
use super::super::follow::step;
use super::super::judge::judge;
use super::super::{Severity, Subject, Verdict, World};
use super::*;

const ROOM: Room = Room { objects: 1_000, looks: 10_000 };
const JUDGED: Judges = Judges { group: "x", resource: "things", analysers: &[curious] };

fn kind(resource: &str) -> GroupResource {
    if resource == "events" { events() } else { GroupResource::new("x", resource) }
}

fn object(resource: &str, namespace: &str, name: &str) -> ObjectRef {
    ObjectRef { kind: kind(resource), namespace: Some(namespace.to_owned()), name: name.to_owned() }
}

/// Says all that it saw of what its object tells it to look at, and that something is wrong where that is an odd sum.
fn curious(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let spec = &subject.object["spec"];
    let namespace = subject.object["metadata"]["namespace"].as_str().unwrap_or_default();
    let parts = kind("parts");
    let mut sum = spec["own"].as_i64().unwrap_or_default();
    let mut add = |object: &Value, weight: i64| sum += weight * object["spec"]["own"].as_i64().unwrap_or(1);
    if let Some(name) = spec["get"].as_str() {
        add(&world.get(&parts, Some(namespace), name).map_or(Value::Null, |part| (*part).clone()), 3);
    }
    let selector = |value: &Value| {
        let test = LabelTest::In(vec![value.as_str().unwrap_or_default().to_owned()]);
        LabelSelector { requirements: vec![LabelRequirement { key: "l".to_owned(), test }] }
    };
    if spec["any"].is_string() && world.one(&parts, namespace, &selector(&spec["any"])).is_some() {
        add(&Value::Null, 5);
    }
    if spec["select"].is_string() {
        world.select(&parts, namespace, &selector(&spec["select"])).iter().for_each(|part| add(part, 7));
    }
    if let Some(wide) = spec["list"].as_bool() {
        world.list(&parts, (!wide).then_some(namespace)).iter().for_each(|part| add(part, 11));
    }
    if let Some(name) = spec["events"].as_str() {
        world.events_of(&object("parts", namespace, name)).iter().for_each(|event| add(event, 13));
    }
    if spec["knows"] == true && world.knows(&parts) {
        add(&Value::Null, 17);
    }
    if let Some(at_ms) = spec["alarm"].as_i64() {
        if world.now_ms() < at_ms { verdict.look_again(at_ms) } else { add(&Value::Null, 19) }
    }
    if sum % 2 != 0 {
        verdict.add(finding(&sum.to_string()));
    }
}

fn finding(message: &str) -> Finding {
    Finding {
        cause: "Odd",
        severity: Severity::Warning,
        message: message.to_owned(),
        evidence: Vec::new(),
        since_ms: None,
        last_seen_ms: None,
        because_of: None,
        next: None,
    }
}

/// All that there is, and what of it is known.
#[derive(Debug, Default)]
struct Everything {
    objects: BTreeMap<ObjectRef, Arc<Value>>,
    known: BTreeSet<GroupResource>,
    now_ms: i64,
}

impl Everything {
    fn of<'a>(&'a self, kind: &'a GroupResource) -> impl Iterator<Item = (&'a ObjectRef, &'a Arc<Value>)> {
        self.objects.iter().filter(move |(object, _)| object.kind == *kind && self.known.contains(kind))
    }

    fn labelled<'a>(
        &'a self,
        kind: &'a GroupResource,
        namespace: &'a str,
        labels: &'a LabelSelector,
    ) -> impl Iterator<Item = (&'a ObjectRef, &'a Arc<Value>)> {
        let here = self.of(kind).filter(move |(object, _)| object.namespace.as_deref() == Some(namespace));
        here.filter(|(_, value)| labels.matches(|key| value["metadata"]["labels"][key].as_str()))
    }
}

impl Sight for Everything {
    fn now_ms(&self) -> i64 {
        self.now_ms
    }

    fn knows(&self, kind: &GroupResource) -> bool {
        self.known.contains(kind)
    }

    fn get(&self, object: &ObjectRef) -> Option<Arc<Value>> {
        self.objects.get(object).filter(|_| self.known.contains(&object.kind)).cloned()
    }

    fn written_as(&self, _object: &ObjectRef) -> Option<String> {
        None
    }

    fn labels(&self, object: &ObjectRef) -> Vec<(String, String)> {
        let label =
            self.get(object).and_then(|value| value["metadata"]["labels"]["l"].as_str().map(str::to_owned));
        label.map(|value| ("l".to_owned(), value)).into_iter().collect()
    }

    fn first(&self, kind: &GroupResource, namespace: &str, labels: &LabelSelector) -> Option<String> {
        self.labelled(kind, namespace, labels).next().map(|(object, _)| object.name.clone())
    }

    fn select(&self, kind: &GroupResource, namespace: &str, labels: &LabelSelector) -> Vec<Arc<Value>> {
        self.labelled(kind, namespace, labels).map(|(_, value)| Arc::clone(value)).collect()
    }

    fn list(&self, kind: &GroupResource, namespace: Option<&str>) -> Vec<Arc<Value>> {
        let here = |object: &ObjectRef| namespace.is_none() || object.namespace.as_deref() == namespace;
        self.of(kind).filter(|(object, _)| here(object)).map(|(_, value)| Arc::clone(value)).collect()
    }

    fn events_of(&self, object: &ObjectRef) -> Vec<Arc<Value>> {
        let tells = |event: &ObjectRef| self.told_of(event).as_ref() == Some(object);
        self.of(&events()).filter(|(event, _)| tells(event)).map(|(_, value)| Arc::clone(value)).collect()
    }

    fn told_of(&self, event: &ObjectRef) -> Option<ObjectRef> {
        let value = self.get(event)?;
        Some(object("parts", event.namespace.as_deref()?, value["involved"].as_str()?))
    }

    fn named(&self, _api_version: &str, _kind: &str) -> Option<GroupResource> {
        None
    }

    fn after(&self, kind: &GroupResource, after: Option<&ObjectRef>, most: usize) -> Vec<ObjectRef> {
        let behind = self
            .of(kind)
            .map(|(object, _)| object)
            .filter(|object| after.is_none_or(|after| *object > after));
        behind.take(most).cloned().collect()
    }
}

#[derive(Debug, Clone)]
enum Happens {
    Put(ObjectRef, Value),
    Delete(ObjectRef),
    Known(&'static str, bool),
    Passes(i64),
    Settles,
}

/// The engine beside all that there is, and changes that it has not been told yet.
struct Model {
    all: Everything,
    engine: Mutex<Engine>,
    untold: BTreeSet<ObjectRef>,
}

impl Model {
    fn new(room: Room) -> Self {
        Self { all: Everything::default(), engine: Mutex::new(Engine::new(room)), untold: BTreeSet::new() }
    }

    fn happen(&mut self, happens: Happens) {
        match happens {
            Happens::Put(object, value) => {
                self.all.objects.insert(object.clone(), Arc::new(value));
                self.untold.insert(object);
            }
            Happens::Delete(object) => {
                self.all.objects.remove(&object);
                self.untold.insert(object);
            }
            Happens::Known(resource, known) => {
                let kind = kind(resource);
                let changed =
                    if known { self.all.known.insert(kind.clone()) } else { self.all.known.remove(&kind) };
                if changed {
                    self.engine.lock().anew(&kind, judges(&kind).is_some());
                }
            }
            Happens::Passes(ms) => self.all.now_ms += ms,
            Happens::Settles => self.settle(),
        }
    }

    fn settle(&mut self) {
        for object in std::mem::take(&mut self.untold) {
            let is_judged = judges(&object.kind).is_some();
            self.engine.lock().changed(object, is_judged, &self.all);
        }
        while step(&self.engine, &self.all, 2, &judges) == 2 {}
        assert!(self.engine.lock().is_idle(self.all.now_ms));
    }

    /// What is kept is what comes of judging everything, and nothing is remembered but for that.
    fn check(&self) {
        let engine = self.engine.lock();
        for object in self.all.of(&kind("things")).map(|(object, _)| object) {
            let judged = judge(&JUDGED, object, &self.all).unwrap();
            let kept = engine.kept.get(object);
            let findings: Vec<_> =
                kept.iter().flat_map(|kept| &kept.findings).map(|found| &found.finding).collect();
            assert_eq!(findings, judged.verdict.findings.iter().collect::<Vec<_>>(), "{object:?}");
            let alarm = kept.and_then(|kept| kept.look_again_ms);
            assert_eq!(alarm, judged.verdict.look_again_ms, "{object:?}");
        }
        let looks: usize = engine.kept.values().map(|kept| kept.looks.len()).sum();
        assert_eq!(engine.readers.looks(), looks);
        let there = |object: &Arc<ObjectRef>| self.all.get(object).is_some();
        assert!(engine.kept.keys().all(there), "nothing is kept of what is not there");
        let alarms = engine.kept.values().filter(|kept| kept.look_again_ms.is_some()).count();
        assert_eq!(engine.alarms.len(), alarms);
    }
}

fn judges(kind: &GroupResource) -> Option<&'static Judges> {
    (*kind == GroupResource::new("x", "things")).then_some(&JUDGED)
}

fn name() -> impl Strategy<Value = String> {
    (0..4).prop_map(|at| format!("n{at}"))
}

fn place(resource: &'static str) -> impl Strategy<Value = ObjectRef> {
    (prop_oneof![Just("a"), Just("b")], name())
        .prop_map(move |(namespace, name)| object(resource, namespace, &name))
}

fn spec() -> impl Strategy<Value = Value> {
    let maybe = |of: BoxedStrategy<Value>| prop_oneof![Just(Value::Null), of];
    let label = || prop_oneof![Just(json!("p")), Just(json!("q"))].boxed();
    let names = || name().prop_map(Value::from).boxed();
    (
        0..4_i64,
        maybe(names()),
        maybe(label()),
        maybe(label()),
        maybe(any::<bool>().prop_map(Value::from).boxed()),
        maybe(names()),
        any::<bool>(),
        maybe((0..100_i64).prop_map(Value::from).boxed()),
    )
        .prop_map(|(own, get, any, select, list, events, knows, alarm)| {
            json!({"own": own, "get": get, "any": any, "select": select, "list": list, "events": events,
                "knows": knows, "alarm": alarm})
        })
}

fn whole(object: &ObjectRef, label: &str, spec: &Value, involved: &str) -> Value {
    json!({"metadata": {"namespace": object.namespace, "name": object.name, "labels": {"l": label}},
        "spec": spec, "involved": involved})
}

fn happens() -> impl Strategy<Value = Happens> {
    let put = |resource| {
        let value = (place(resource), prop_oneof![Just("p"), Just("q")], spec(), name());
        value.prop_map(|(object, label, spec, involved)| {
            let value = whole(&object, label, &spec, &involved);
            Happens::Put(object, value)
        })
    };
    let resource = || prop_oneof![Just("things"), Just("parts"), Just("events")];
    prop_oneof![
        4 => put("things"),
        4 => put("parts"),
        2 => put("events"),
        2 => place("things").prop_map(Happens::Delete),
        2 => place("parts").prop_map(Happens::Delete),
        1 => place("events").prop_map(Happens::Delete),
        1 => (resource(), any::<bool>()).prop_map(|(resource, known)| Happens::Known(resource, known)),
        2 => (1..40_i64).prop_map(Happens::Passes),
        3 => Just(Happens::Settles),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_settles_is_what_a_judgement_of_everything_finds(all in prop::collection::vec(happens(), 1..60)) {
        let mut model = Model::new(ROOM);
        for resource in ["things", "parts", "events"] {
            model.happen(Happens::Known(resource, true));
        }
        for one in all {
            let settles = matches!(one, Happens::Settles);
            model.happen(one);
            if settles {
                model.check();
            }
        }
        model.settle();
        model.check();
    }
}

fn thing(at: usize, spec: &Value) -> Happens {
    let object = object("things", "a", &format!("t{at:03}"));
    let value = whole(&object, "p", spec, "");
    Happens::Put(object, value)
}

#[test]
fn of_healthy_objects_that_hang_on_nothing_nothing_is_kept() {
    let mut model = Model::new(ROOM);
    model.happen(Happens::Known("things", true));
    (0..100).for_each(|at| model.happen(thing(at, &json!({"own": 2}))));
    model.settle();
    assert!(model.engine.lock().kept.is_empty());
    model.happen(thing(7, &json!({"own": 3})));
    model.settle();
    assert_eq!(model.engine.lock().found().len(), 1);
    model.check();
}

#[test]
fn what_has_no_room_is_counted_and_found_when_there_is() {
    let mut model = Model::new(Room { objects: 10, looks: 100 });
    model.happen(Happens::Known("things", true));
    (0..25).for_each(|at| model.happen(thing(at, &json!({"own": 1}))));
    model.settle();
    let counts = |model: &Model| {
        let engine = model.engine.lock();
        (engine.found().len(), engine.left_out())
    };
    assert_eq!(counts(&model), (10, 15));
    (0..20).for_each(|at| model.happen(thing(at, &json!({"own": 2}))));
    model.settle();
    model.engine.lock().retry_left_out([kind("things")].into_iter());
    model.settle();
    assert_eq!(counts(&model), (5, 0));
    model.check();
}

#[test]
fn a_finding_is_as_old_as_its_cause() {
    let mut model = Model::new(ROOM);
    model.happen(Happens::Known("things", true));
    for (own, expected) in [(1, Some(10)), (3, Some(10)), (2, None), (5, Some(40))] {
        model.happen(Happens::Passes(10));
        model.happen(thing(0, &json!({"own": own})));
        model.settle();
        let found = model.engine.lock().found();
        assert_eq!(found.first().map(|(_, kept)| kept.findings[0].found_ms), expected, "{own}");
    }
}
