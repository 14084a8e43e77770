//! The parts that tools' plans are made of.

use std::sync::Arc;

use kubeplex_proto::events::EventQuestion;
use kubeplex_proto::kind::Scope as KindScope;
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::search::Search;
use kubeplex_proto::selector::{FieldSelector, LabelSelector};
use serde::Serialize;

use crate::error::{CallError, ErrorCode};
use crate::fleet::ClusterView;
use crate::limits::MAX_LIST_PARTS;
use crate::request::{
    ClustersQuery, Field, Fingerprint, GetQuery, GroupBy, InvalidObjectUri, LegId, ListQuery, ObjectUri,
    Order, PageQuery, Request, Resume, SCHEME, Standing, Target,
};

use super::guard::short;
use super::kinds::{self, ResolvedKind};
use super::options::{freshness, limit, nothing_live};
use super::search::with_kind;
use super::{Arguments, Scope, Understood, clusters as select, lists};

pub(super) use super::options::options;

/// Beside the arguments: what a listing tool says itself.
pub(crate) struct ListQuestion<'a> {
    pub(crate) tool: &'a str,
    pub(crate) kind: AskedKind<'a>,
}

/// The kind that a tool lists.
pub(crate) enum AskedKind<'a> {
    /// Every cluster has it, so it can be asked for before any has reported its kinds.
    Known(ResolvedKind),
    Named(&'a str),
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
    let clusters = some_clusters(arguments, scope)?;
    let ListQuestion { tool, kind } = question;
    let kind = match kind {
        AskedKind::Known(kind) => kind,
        AskedKind::Named(text) => kinds::find(text, scope, &clusters)?,
    };
    let namespaces = namespaces(arguments, &kind)?;
    rows(
        Rows {
            tool,
            clusters,
            kind,
            namespaces,
            events: None,
            search: None,
            usage: false,
            usual: Order::Usual,
        },
        arguments,
        scope,
    )
}

/// What rows are asked for, beside the arguments that all lists share.
pub(super) struct Rows<'a> {
    pub(super) tool: &'a str,
    pub(super) clusters: Vec<Arc<ClusterView>>,
    pub(super) kind: ResolvedKind,
    pub(super) namespaces: Vec<Pattern>,
    pub(super) events: Option<EventQuestion>,
    pub(super) search: Option<Search>,
    pub(super) usage: bool,
    /// The order where nobody asks for one.
    pub(super) usual: Order,
}

pub(super) fn rows(rows: Rows<'_>, arguments: &Arguments, scope: &Scope<'_>) -> Result<Request, CallError> {
    let Rows { tool, clusters, kind, namespaces, events, search, usage, usual } = rows;
    let label_selector = label_selector("labelSelector", arguments)?;
    let field_selector = match arguments.text("fieldSelector") {
        Some(text) => text.parse().map_err(|error| CallError::invalid(format!("fieldSelector: {error}")))?,
        None => FieldSelector::default(),
    };
    few_requirements("fieldSelector", field_selector.requirements.len())?;
    let about = (&events, &search);
    let asked = (tool, &kind.id, &kind.version, &namespaces, &label_selector, &field_selector, about);
    let mut page = page(&asked, usual, &clusters, arguments, scope)?;
    if search.is_some() && page.group.is_none() {
        page.order = with_kind(page.order);
    }
    Ok(Request::List(ListQuery {
        targets: targets(clusters, page.resume.as_ref()),
        kind: kind.id,
        scope: kind.scope,
        version: kind.version,
        namespaces,
        label_selector,
        field_selector,
        events: events.map(Box::new),
        search: search.map(Box::new),
        usage,
        page,
        options: options(arguments),
        understood: Understood(()),
    }))
}

/// Whole objects by name, or one by its identity.
///
/// # Errors
/// Whatever is wrong with the arguments.
pub(crate) fn get(arguments: &Arguments, scope: &Scope<'_>) -> Result<Request, CallError> {
    let named = by_name(arguments, scope)?;
    let fields = lists::fields(arguments.text("fields"))?.into_iter().map(path).collect::<Result<_, _>>()?;
    Ok(Request::Get(GetQuery {
        targets: targets(named.clusters, None),
        kind: named.kind.id,
        scope: named.kind.scope,
        version: named.kind.version,
        namespaces: named.namespaces,
        names: named.names,
        fields,
        options: options(arguments),
        understood: Understood(()),
    }))
}

/// Which objects are asked for.
pub(super) struct Named {
    pub(super) clusters: Vec<Arc<ClusterView>>,
    pub(super) kind: ResolvedKind,
    pub(super) namespaces: Vec<Pattern>,
    pub(super) names: Vec<Pattern>,
}

/// Objects by name, or one by its identity.
pub(super) fn by_name(arguments: &Arguments, scope: &Scope<'_>) -> Result<Named, CallError> {
    let name = arguments.text("name");
    match name.filter(|name| name.starts_with(SCHEME)) {
        Some(identity) => identified(identity, arguments, scope),
        None => named(name, arguments, scope),
    }
}

fn named(name: Option<&str>, arguments: &Arguments, scope: &Scope<'_>) -> Result<Named, CallError> {
    let clusters = some_clusters(arguments, scope)?;
    let find = |text: &str| kinds::find(text, scope, &clusters);
    let (kind, name) = kind_and_name(arguments.text("kind"), name, find)?;
    let kind = kind.ok_or_else(|| {
        CallError::invalid("kind is missing: give one, or put it before the name, as in deployment/cart")
    })?;
    let namespaces = namespaces(arguments, &kind)?;
    let names = lists::name_patterns("name", name)?;
    Ok(Named { clusters, kind, namespaces, names })
}

/// An identity says it all.
fn identified(text: &str, arguments: &Arguments, scope: &Scope<'_>) -> Result<Named, CallError> {
    let wrong = |problem: &str| Err(CallError::invalid(format!("name: \"{}\": {problem}", short(text, 80))));
    let identity: ObjectUri = match text.parse() {
        Ok(identity) => identity,
        Err(error) => return wrong(&InvalidObjectUri::to_string(&error)),
    };
    if let Some(beside) =
        ["cluster", "clusterSelector", "namespace", "kind"].iter().find(|name| arguments.text(name).is_some())
    {
        return wrong(&format!("it says where the object is, so leave {beside} out"));
    }
    let Some(name) = identity.name.filter(|name| !name.contains('*')) else {
        return wrong("the name of one object is wanted behind the last slash");
    };
    let clusters = select::select(Some(identity.cluster.as_str()), None, scope.fleet)?;
    let kind = kinds::find(&identity.kind.to_string(), scope, &clusters)?;
    match (kind.scope, &identity.namespace) {
        (Some(KindScope::Namespaced), None) => {
            wrong(&format!("{} are in namespaces; name one in place of -", kind.id))
        }
        (Some(KindScope::Cluster), Some(_)) => {
            wrong(&format!("{} are in no namespace; put - in its place", kind.id))
        }
        (_, namespace) => Ok(Named {
            namespaces: namespace.iter().cloned().map(Pattern::new).collect(),
            names: vec![Pattern::new(name)],
            clusters,
            kind,
        }),
    }
}

/// What a page may show, order by and group by, where there are no columns but the tool's own.
pub(crate) struct OwnColumns<'a> {
    /// Refuses a field that there is not; by the name of the argument that it is in.
    pub(crate) check: &'a dyn Fn(&str, &Field) -> Result<(), CallError>,
    /// Refuses what can't be grouped by or summed up.
    pub(crate) check_groups: &'a dyn Fn(&GroupBy) -> Result<(), CallError>,
}

/// A page of clusters.
///
/// # Errors
/// Whatever is wrong with the arguments.
pub(crate) fn clusters(
    arguments: &Arguments,
    scope: &Scope<'_>,
    columns: &OwnColumns<'_>,
) -> Result<Request, CallError> {
    let clusters = select::select(arguments.text("cluster"), arguments.text("clusterSelector"), scope.fleet)?;
    let page = own_page(&"clusters_list", &clusters, columns, arguments, scope)?;
    Ok(Request::Clusters(ClustersQuery {
        targets: targets(clusters, None),
        page,
        options: options(arguments),
        understood: Understood(()),
    }))
}

/// A page of what the gateway knows itself.
pub(super) fn own_page(
    asked: &impl Serialize,
    clusters: &[Arc<ClusterView>],
    columns: &OwnColumns<'_>,
    arguments: &Arguments,
    scope: &Scope<'_>,
) -> Result<PageQuery, CallError> {
    nothing_live(arguments)?;
    let page = page(asked, Order::Usual, clusters, arguments, scope)?;
    page.fields.iter().try_for_each(|field| (columns.check)("fields", field))?;
    match &page.group {
        Some(by) => (columns.check_groups)(by)?,
        None => page.order.fields().try_for_each(|field| (columns.check)("sortBy", field))?,
    }
    Ok(page)
}

/// Of an object only paths can be left out; its clusters stand beside it anyway.
fn path(field: Field) -> Result<String, CallError> {
    match field {
        Field::Object(path) => Ok(path),
        Field::Namespace => Ok("metadata.namespace".to_owned()),
        Field::Cluster => Err(no_path("cluster")),
        Field::ClusterLabel(label) => Err(no_path(&format!("cluster.labels.{label}"))),
    }
}

fn no_path(field: &str) -> CallError {
    CallError::invalid(format!(
        "fields: \"{}\" is no path into the object, such as spec.replicas; the clusters of an object are always said",
        short(field, 60)
    ))
}

/// A kind stands in `kind`, or before the name: `deployment/cart`.
pub(super) fn kind_and_name<'n>(
    kind: Option<&str>,
    name: Option<&'n str>,
    find: impl Fn(&str) -> Result<ResolvedKind, CallError>,
) -> Result<(Option<ResolvedKind>, Option<&'n str>), CallError> {
    let (before, name) = match name.map(|name| name.split_once('/').ok_or(name)) {
        None => (None, None),
        Some(Err(name)) => (None, Some(name)),
        Some(Ok((before, name))) => (Some(before.trim()), Some(name)),
    };
    match (kind, before) {
        (_, Some("")) => Err(CallError::invalid(format!(
            "name: \"{}\" has no kind before its slash; deployment/cart is an example",
            short(&format!("/{}", name.unwrap_or_default()), 60)
        ))),
        (None, None) => Ok((None, name)),
        (Some(text), None) | (None, Some(text)) => Ok((Some(find(text)?), name)),
        (Some(kind), Some(before)) => {
            let (kind, other) = (find(kind)?, find(before)?);
            if kind.id == other.id {
                return Ok((Some(kind), name));
            }
            Err(CallError::invalid(format!(
                "name: \"{}\" is of kind {}, but kind says {}; give one of them",
                short(&format!("{before}/{}", name.unwrap_or_default()), 60),
                other.id,
                kind.id
            )))
        }
    }
}

pub(super) fn some_clusters(
    arguments: &Arguments,
    scope: &Scope<'_>,
) -> Result<Vec<Arc<ClusterView>>, CallError> {
    let clusters = select::select(arguments.text("cluster"), arguments.text("clusterSelector"), scope.fleet)?;
    if clusters.is_empty() {
        return Err(CallError::new(ErrorCode::NotFound, "there is no cluster that you may see")
            .with_hint("the gateway's configuration names its clusters"));
    }
    Ok(clusters)
}

pub(super) fn namespaces(arguments: &Arguments, kind: &ResolvedKind) -> Result<Vec<Pattern>, CallError> {
    let given = arguments.text("namespace");
    let namespaces = lists::name_patterns("namespace", given)?;
    if !namespaces.is_empty() && kind.scope == Some(KindScope::Cluster) {
        let given = short(given.unwrap_or_default(), 60);
        let message = format!("namespace: \"{given}\": {} are in no namespace; leave it out", kind.id);
        return Err(CallError::invalid(message));
    }
    Ok(namespaces)
}

pub(super) fn label_selector(name: &str, arguments: &Arguments) -> Result<LabelSelector, CallError> {
    let Some(text) = arguments.text(name) else { return Ok(LabelSelector::default()) };
    let selector: LabelSelector =
        text.parse().map_err(|error| CallError::invalid(format!("{name}: {error}")))?;
    few_requirements(name, selector.requirements.len())?;
    Ok(selector)
}

fn few_requirements(name: &str, count: usize) -> Result<(), CallError> {
    if count <= MAX_LIST_PARTS {
        return Ok(());
    }
    Err(CallError::invalid(format!(
        "{name}: {count} requirements are more than {MAX_LIST_PARTS}, the most of a selector; `in (a,b)` is one"
    )))
}

/// `asked` is what decides, beside columns and order, which rows there are: a cursor is bound to all of it.
fn page(
    asked: &impl Serialize,
    usual: Order,
    clusters: &[Arc<ClusterView>],
    arguments: &Arguments,
    scope: &Scope<'_>,
) -> Result<PageQuery, CallError> {
    let fields = lists::fields(arguments.text("fields"))?;
    let group = lists::group_by(arguments.text("groupBy"))?;
    let order = match (&group, arguments.text("sortBy")) {
        (None, None) => usual,
        (None, text) => lists::order(text)?,
        (Some(by), text) => {
            lists::no_fields(&fields)?;
            lists::order_of_groups(by, text)?
        }
    };
    let ids = clusters.iter().map(|cluster| &cluster.id);
    let asked = (asked, &fields, &group, &order, freshness(arguments));
    let fingerprint = Fingerprint::new(scope.caller, &asked, ids);
    let open = |text| scope.sealer.open(text, &fingerprint, scope.time.ms());
    let resume = arguments.text("continue").map(open).transpose()?;
    Ok(PageQuery { fields, group, order, limit: limit(arguments), resume, fingerprint })
}

pub(super) fn targets(clusters: Vec<Arc<ClusterView>>, resume: Option<&Resume>) -> Vec<Target> {
    let missing = resume.map_or(&[][..], |resume| &resume.missing);
    let targets = clusters.into_iter().enumerate().map(|(at, cluster)| {
        let standing = if missing.contains(&LegId(at)) { Standing::Out } else { Standing::Asked };
        Target { cluster, standing }
    });
    targets.collect()
}
