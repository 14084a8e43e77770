//! The parts that tools' plans are made of.

use std::sync::Arc;

use kubeplex_proto::kind::Scope as KindScope;
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::selector::LabelSelector;
use serde::Serialize;

use crate::cursor::{Fingerprint, Resume};
use crate::error::{CallError, ErrorCode};
use crate::fleet::ClusterView;
use crate::request::bounds::{DEFAULT_LIMIT, DEFAULT_TIMEOUT_S, MAX_LIST_PARTS};
use crate::request::{
    CallOptions, ClustersQuery, Field, GetQuery, LegId, ListQuery, Output, Request, Standing, Target,
};

use super::guard::short;
use super::kinds::{self, ResolvedKind};
use super::{Arguments, Scope, clusters as select, lists};

/// Beside the arguments: what a listing tool says itself.
pub(crate) struct ListQuestion<'a> {
    pub(crate) tool: &'a str,
    pub(crate) kind: ResolvedKind,
}

/// The kind that an argument names.
///
/// # Errors
/// See [`kinds::find`].
pub(crate) fn kind_of(text: &str, scope: &Scope<'_>) -> Result<ResolvedKind, CallError> {
    kinds::find(text, scope.fleet)
}

/// A page of rows.
///
/// # Errors
/// Whatever is wrong with the arguments.
pub(crate) fn list(
    question: ListQuestion<'_>,
    arguments: &Arguments,
    scope: &Scope<'_>,
) -> Result<Request, CallError> {
    let ListQuestion { tool, kind } = question;
    let clusters = some_clusters(arguments, scope)?;
    let namespaces = namespaces(arguments, &kind)?;
    let label_selector = label_selector("labelSelector", arguments)?;
    let field_selector = match arguments.text("fieldSelector") {
        Some(text) => text.parse().map_err(|error| CallError::invalid(format!("fieldSelector: {error}")))?,
        None => kubeplex_proto::selector::FieldSelector::default(),
    };
    if field_selector.requirements.len() > MAX_LIST_PARTS {
        return Err(too_many_requirements("fieldSelector"));
    }
    let fields = lists::fields(arguments.text("fields"))?;
    let order = lists::order(arguments.text("sortBy"))?;
    let asked =
        (tool, &kind.id, &kind.version, &namespaces, &label_selector, &field_selector, &fields, &order);
    let (fingerprint, resume) = continued(&asked, &clusters, arguments, scope)?;
    Ok(Request::List(ListQuery {
        targets: targets(clusters, resume.as_ref()),
        kind: kind.id,
        version: kind.version,
        namespaces,
        label_selector,
        field_selector,
        fields,
        order,
        limit: limit(arguments),
        resume,
        fingerprint,
        options: options(arguments, scope),
    }))
}

/// Whole objects by name.
///
/// # Errors
/// Whatever is wrong with the arguments.
pub(crate) fn get(arguments: &Arguments, scope: &Scope<'_>) -> Result<Request, CallError> {
    let name = arguments.text("name").unwrap_or_default();
    let (kind, name) = kind_and_name(arguments.text("kind"), name, scope)?;
    let clusters = some_clusters(arguments, scope)?;
    let namespaces = namespaces(arguments, &kind)?;
    let names = lists::name_patterns("name", Some(name))?;
    let fields = lists::fields(arguments.text("fields"))?.into_iter().map(path).collect::<Result<_, _>>()?;
    Ok(Request::Get(GetQuery {
        targets: targets(clusters, None),
        kind: kind.id,
        version: kind.version,
        namespaces,
        names,
        fields,
        options: options(arguments, scope),
    }))
}

/// A page of clusters. `check` refuses columns that there are not.
///
/// # Errors
/// Whatever is wrong with the arguments.
pub(crate) fn clusters(
    arguments: &Arguments,
    scope: &Scope<'_>,
    check: impl Fn(&str, &Field) -> Result<(), CallError>,
) -> Result<Request, CallError> {
    let clusters = select::select(arguments.text("cluster"), arguments.text("clusterSelector"), scope.fleet)?;
    let fields = lists::fields(arguments.text("fields"))?;
    fields.iter().try_for_each(|field| check("fields", field))?;
    let order = lists::order(arguments.text("sortBy"))?;
    order.fields().try_for_each(|field| check("sortBy", field))?;
    let (fingerprint, resume) = continued(&("clusters_list", &fields, &order), &clusters, arguments, scope)?;
    Ok(Request::Clusters(ClustersQuery {
        targets: targets(clusters, None),
        fields,
        order,
        limit: limit(arguments),
        resume,
        fingerprint,
        options: options(arguments, scope),
    }))
}

/// Of an object only paths can be left out; its clusters stand beside it anyway.
fn path(field: Field) -> Result<String, CallError> {
    match field {
        Field::Object(path) => Ok(path),
        Field::Namespace => Ok("metadata.namespace".to_owned()),
        Field::Cluster | Field::ClusterLabel(_) => Err(CallError::invalid(
            "fields: only paths into the object are fields here; its clusters are always said",
        )),
    }
}

/// A kind stands in `kind`, or before the name: `deployment/cart`.
fn kind_and_name<'n>(
    kind: Option<&str>,
    name: &'n str,
    scope: &Scope<'_>,
) -> Result<(ResolvedKind, &'n str), CallError> {
    let (before, name) = name.split_once('/').map_or((None, name), |(before, name)| (Some(before), name));
    match (kind, before.map(str::trim)) {
        (_, Some("")) => Err(CallError::invalid(format!(
            "name: \"{}\" has no kind before its slash; deployment/cart is an example",
            short(&format!("/{name}"), 60)
        ))),
        (None, None) => Err(CallError::invalid(
            "kind is missing: give one, or put it before the name, as in deployment/cart",
        )),
        (Some(text), None) | (None, Some(text)) => Ok((kind_of(text, scope)?, name)),
        (Some(kind), Some(before)) => {
            let (kind, other) = (kind_of(kind, scope)?, kind_of(before, scope)?);
            if kind.id == other.id {
                return Ok((kind, name));
            }
            Err(CallError::invalid(format!(
                "name: \"{before}/{name}\" is of kind {}, but kind says {}; give one of them",
                other.id, kind.id
            )))
        }
    }
}

fn some_clusters(arguments: &Arguments, scope: &Scope<'_>) -> Result<Vec<Arc<ClusterView>>, CallError> {
    let clusters = select::select(arguments.text("cluster"), arguments.text("clusterSelector"), scope.fleet)?;
    if clusters.is_empty() {
        return Err(CallError::new(ErrorCode::NotFound, "no cluster is configured that you may see"));
    }
    Ok(clusters)
}

fn namespaces(arguments: &Arguments, kind: &ResolvedKind) -> Result<Vec<Pattern>, CallError> {
    let given = arguments.text("namespace");
    let namespaces = lists::name_patterns("namespace", given)?;
    if !namespaces.is_empty() && kind.scope == Some(KindScope::Cluster) {
        return Err(CallError::invalid(format!("namespace: {} are in no namespace; leave it out", kind.id)));
    }
    Ok(namespaces)
}

fn label_selector(name: &str, arguments: &Arguments) -> Result<LabelSelector, CallError> {
    let Some(text) = arguments.text(name) else { return Ok(LabelSelector::default()) };
    let selector: LabelSelector =
        text.parse().map_err(|error| CallError::invalid(format!("{name}: {error}")))?;
    if selector.requirements.len() > MAX_LIST_PARTS { Err(too_many_requirements(name)) } else { Ok(selector) }
}

fn too_many_requirements(name: &str) -> CallError {
    CallError::invalid(format!("{name}: a selector may have {MAX_LIST_PARTS} requirements at most"))
}

/// What a cursor of this question is bound to, and where the one that was given left off.
fn continued(
    asked: &impl Serialize,
    clusters: &[Arc<ClusterView>],
    arguments: &Arguments,
    scope: &Scope<'_>,
) -> Result<(Fingerprint, Option<Resume>), CallError> {
    let fingerprint = Fingerprint::new(scope.caller, asked, clusters.iter().map(|cluster| &cluster.id));
    let opened = arguments.text("continue").map(|text| scope.sealer.open(text, &fingerprint, scope.now_ms));
    Ok((fingerprint, opened.transpose()?))
}

fn targets(clusters: Vec<Arc<ClusterView>>, resume: Option<&Resume>) -> Vec<Target> {
    let missing = resume.map_or(&[][..], |resume| &resume.missing);
    let targets = clusters.into_iter().enumerate().map(|(at, cluster)| {
        let standing = if missing.contains(&LegId(at)) { Standing::Out } else { Standing::Asked };
        Target { cluster, standing }
    });
    targets.collect()
}

fn limit(arguments: &Arguments) -> u32 {
    arguments.integer("limit").and_then(|limit| u32::try_from(limit).ok()).unwrap_or(DEFAULT_LIMIT)
}

fn options(arguments: &Arguments, scope: &Scope<'_>) -> CallOptions {
    let max_bytes = arguments.integer("maxBytes").and_then(|bytes| usize::try_from(bytes).ok());
    CallOptions {
        timeout_ms: arguments.integer("timeoutSeconds").unwrap_or(DEFAULT_TIMEOUT_S) * 1_000,
        max_bytes: max_bytes.unwrap_or(scope.default_max_bytes),
        output: if arguments.text("output") == Some("json") { Output::Json } else { Output::Table },
    }
}
