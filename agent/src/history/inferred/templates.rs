//! ReplicaSets and ControllerRevisions: the templates that a workload had, one after the other.

use std::collections::{BTreeMap, HashSet};

use kubeplex_proto::changes::Deed;
use kubeplex_proto::kind::{GroupResource, KindInfo, Scope};
use kubeplex_proto::quantity::parse_time_ms;
use serde_json::{Value, json};

use super::{DECODED, IsWanted, Unrecorded};
use crate::cache::RowRef;
use crate::history::record::{self, Record};
use crate::history::stores::Stores;
use crate::workload::items;

/// Which kinds keep templates of which: their resource, and the owners' kinds.
const KEPT: [(&str, &[&str]); 2] =
    [("replicasets", &["Deployment"]), ("controllerrevisions", &["StatefulSet", "DaemonSet"])];

/// One template, and when it became the workload's.
struct Template {
    revision: i64,
    created_ms: i64,
    template: Value,
}

/// A workload by kind, namespace and name.
type Workload = (String, Option<String>, String);

pub(super) fn changes(
    stores: Stores<'_>,
    spans: &Unrecorded,
    is_wanted: IsWanted<'_>,
    records: &mut Vec<Record>,
) {
    for (resource, owners) in KEPT {
        let kind = GroupResource::new("apps", resource);
        let mut templates: BTreeMap<Workload, Vec<Template>> = BTreeMap::new();
        let owners_kinds: Vec<_> = owners.iter().filter_map(|owner| stores.kind_called(owner)).collect();
        let is_unrecorded = |at| owners_kinds.iter().any(|kind| spans.holds(kind, at));
        let rolled = rolled(stores, &kind, &is_unrecorded);
        let is_of_rolled = |row: RowRef<'_>| rolled.contains(&of_workload(row));
        for object in stores.objects(&kind, None, DECODED, &is_of_rolled) {
            if let Some((workload, template)) = template(&object, owners) {
                templates.entry(workload).or_default().push(template);
            }
        }
        for ((kind_name, namespace, name), mut templates) in templates {
            let Some(kind) = stores.kind_called(&kind_name) else { continue };
            if !is_wanted(&kind, namespace.as_deref(), &name) {
                continue;
            }
            templates.sort_by_key(|template| template.revision);
            for pair in templates.windows(2).filter(|pair| spans.holds(&kind, pair[1].created_ms)) {
                records.extend(change(&kind, &kind_name, namespace.as_deref(), &name, (&pair[0], &pair[1])));
            }
        }
    }
}

/// The workloads that got a template in the spans. To find that out no object is decoded: what keeps a template is named
/// after its workload, with a hash behind.
fn rolled(
    stores: Stores<'_>,
    kind: &GroupResource,
    is_unrecorded: &dyn Fn(i64) -> bool,
) -> HashSet<(String, String)> {
    let mut rolled = HashSet::new();
    stores.rows(kind, &mut |row| {
        if row.created_ms().is_some_and(is_unrecorded) {
            rolled.insert(of_workload(row));
        }
    });
    rolled
}

fn of_workload(row: RowRef<'_>) -> (String, String) {
    let name = row.name().rsplit_once('-').map_or(row.name(), |(workload, _)| workload);
    (row.namespace().unwrap_or_default().to_owned(), name.to_owned())
}

fn template(object: &Value, owners: &[&str]) -> Option<(Workload, Template)> {
    let metadata = &object["metadata"];
    let owner = items(&metadata["ownerReferences"]).iter().find(|owner| owner["controller"] == true)?;
    let kind_name = owner["kind"].as_str().filter(|kind| owners.contains(kind))?.to_owned();
    let of_annotation =
        || metadata["annotations"]["deployment.kubernetes.io/revision"].as_str()?.parse().ok();
    let kept = if object["data"].is_object() {
        &object["data"]["spec"]["template"]
    } else {
        &object["spec"]["template"]
    };
    let mut template = kept.clone();
    // What makes the pods of one template different from those of another by itself.
    if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
        labels.remove("pod-template-hash");
    }
    let created_ms = parse_time_ms(metadata["creationTimestamp"].as_str()?)?;
    let revision = object["revision"].as_i64().or_else(of_annotation)?;
    let workload =
        (kind_name, metadata["namespace"].as_str().map(str::to_owned), owner["name"].as_str()?.to_owned());
    Some((workload, Template { revision, created_ms, template }))
}

fn change(
    kind: &GroupResource,
    kind_name: &str,
    namespace: Option<&str>,
    name: &str,
    (before, after): (&Template, &Template),
) -> Option<Record> {
    let state = |template: &Template| json!({"spec": {"template": template.template}}).to_string();
    let info = KindInfo {
        id: kind.clone(),
        version: String::new(),
        versions: Vec::new(),
        kind: kind_name.to_owned(),
        singular: String::new(),
        short_names: Vec::new(),
        categories: Vec::new(),
        scope: Scope::Namespaced,
        verbs: Vec::new(),
    };
    let (_, fields, more_fields) = record::changed(&info, state(before).as_bytes(), state(after).as_bytes())?;
    Some(Record {
        at_ms: after.created_ms,
        after_ms: None,
        group: kind.group.clone(),
        resource: kind.resource.clone(),
        kind_name: kind_name.to_owned(),
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
        uid: String::new(),
        deed: Deed::Changed,
        fields,
        more_fields,
        by: None,
        owner: None,
        inferred: true,
    })
}
