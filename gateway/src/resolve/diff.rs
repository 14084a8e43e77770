//! What `fleet_diff` asks: which objects are compared, and with what.

use kubeplex_proto::compare::Ignore;
use kubeplex_proto::kind::Scope as KindScope;
use kubeplex_proto::nearest::nearest;
use kubeplex_proto::pattern::Pattern;

use crate::error::{CallError, ErrorCode};
use crate::request::{Against, DiffQuery, LegId, Request, Target, WrittenObject};

use super::guard::short;
use super::plan::{kind_and_name, label_selector, namespaces, options, some_clusters, targets};
use super::{Arguments, Scope, Understood, kinds, lists, manifest};

/// # Errors
/// Whatever is wrong with the arguments.
pub(crate) fn diff(arguments: &Arguments, scope: &Scope<'_>) -> Result<Request, CallError> {
    let clusters = some_clusters(arguments, scope)?;
    let find = |text: &str| kinds::find(text, scope, &clusters);
    let (kind, name) = kind_and_name(arguments.text("kind"), arguments.text("name"), find)?;
    let given = match &kind {
        Some(kind) => namespaces(arguments, kind)?,
        None => lists::name_patterns("namespace", arguments.text("namespace"))?,
    };
    let names = lists::name_patterns("name", name)?;
    if kind.is_none() && !names.is_empty() {
        return Err(CallError::invalid(
            "kind is missing: give one beside name, or put it before the name, as in deployment/cart",
        ));
    }
    let ignore = ignored(arguments)?;
    let written = match arguments.text("manifest") {
        Some(text) => {
            alone(arguments)?;
            manifest::read(text, &given, &ignore, find)?
        }
        None => Vec::new(),
    };
    if kind.is_none() && given.is_empty() && written.is_empty() {
        return Err(CallError::invalid(
            "nothing to compare: kind and name (deployment/cart), a kind with labelSelector, a namespace or a manifest is missing",
        ));
    }
    let to_namespace = to_namespace(arguments, &given)?;
    let targets = targets(clusters, None);
    let against = against(arguments, &targets, written.clone())?;
    if targets.len() < 2 && to_namespace.is_none() && written.is_empty() {
        let argument = if arguments.text("cluster").is_some() { "cluster" } else { "clusterSelector" };
        let only = targets.first().map(|target| target.cluster.id.as_str()).unwrap_or_default();
        let meant = match arguments.text(argument) {
            Some(text) if text != only => format!("{argument}: \"{}\" is {only} alone", short(text, 60)),
            _ => format!("{argument}: only {only} is asked"),
        };
        return Err(CallError::invalid(format!(
            "{meant}; give another cluster, toNamespace or a manifest to compare it with"
        )));
    }
    let scope = kind.as_ref().and_then(|kind| kind.scope);
    let mut query = DiffQuery {
        targets,
        kinds: kind.into_iter().map(|kind| kind.id).collect(),
        scope,
        namespaces: given.into_iter().chain(to_namespace.as_deref().map(Pattern::new)).collect(),
        names,
        label_selector: label_selector("labelSelector", arguments)?,
        to_namespace,
        against,
        ignore,
        options: options(arguments),
        understood: Understood(()),
    };
    if !written.is_empty() {
        narrow(&mut query, &written);
    }
    Ok(Request::Diff(query))
}

/// Asks for no more than the objects that were written.
fn narrow(query: &mut DiffQuery, written: &[WrittenObject]) {
    for WrittenObject { object, .. } in written {
        if !query.kinds.contains(&object.kind) {
            query.kinds.push(object.kind.clone());
        }
        let name = Pattern::new(object.name.as_str());
        if !query.names.contains(&name) {
            query.names.push(name);
        }
    }
    let mut namespaces: Vec<_> = written.iter().map(|written| written.object.namespace.as_str()).collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    query.namespaces = namespaces.into_iter().filter(|name| !name.is_empty()).map(Pattern::new).collect();
    query.scope = None;
}

/// A manifest says what is compared.
fn alone(arguments: &Arguments) -> Result<(), CallError> {
    let beside = ["kind", "name", "labelSelector", "baseline", "toNamespace"];
    match beside.iter().find(|name| arguments.text(name).is_some()) {
        None => Ok(()),
        Some(name) => Err(CallError::invalid(format!(
            "{name}: \"{}\" can't stand beside manifest, which says what is compared and with what",
            short(arguments.text(name).unwrap_or_default(), 60)
        ))),
    }
}

fn to_namespace(arguments: &Arguments, given: &[Pattern]) -> Result<Option<String>, CallError> {
    let Some(to) = arguments.text("toNamespace") else { return Ok(None) };
    let wrong =
        |problem: &str| Err(CallError::invalid(format!("toNamespace: \"{}\" {problem}", short(to, 60))));
    let [from] = given else { return wrong("needs one namespace in namespace to be compared with") };
    match (from.literal(), to.contains(['*', ','])) {
        (None, _) | (_, true) => wrong("and namespace must each be the name of one namespace"),
        (Some(from), _) if from == to => wrong("is namespace itself"),
        _ => Ok(Some(to.to_owned())),
    }
}

fn against(
    arguments: &Arguments,
    targets: &[Target],
    written: Vec<WrittenObject>,
) -> Result<Against, CallError> {
    if !written.is_empty() {
        return Ok(Against::Manifest(written));
    }
    let Some(name) = arguments.text("baseline").filter(|name| *name != "majority") else {
        return Ok(Against::Majority);
    };
    let names = || targets.iter().map(|target| target.cluster.id.as_str());
    if let Some(at) = names().position(|known| known == name) {
        return Ok(Against::Cluster(LegId(at)));
    }
    let near = nearest(name, names());
    let meant = near.first().map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    let message =
        format!("baseline: there is no cluster \"{}\" among those compared{meant}", short(name, 60));
    Err(CallError::new(ErrorCode::NotFound, message))
}

fn ignored(arguments: &Arguments) -> Result<Vec<String>, CallError> {
    let Some(text) = arguments.text("ignore") else { return Ok(Vec::new()) };
    let paths = lists::split("ignore", text)?;
    for path in &paths {
        Ignore::parse(path).map_err(|error| CallError::invalid(format!("ignore: {error}")))?;
    }
    Ok(paths.into_iter().map(str::to_owned).collect())
}

/// Whether objects of a kind are in namespaces, as far as a manifest must say in which.
pub(super) fn is_namespaced(scope: Option<KindScope>) -> bool {
    scope != Some(KindScope::Cluster)
}

#[cfg(test)]
mod tests;
