//! Which kind a text means, as kubectl would resolve it, over all clusters that the caller may see.
//!
//! A bare name means the core group's kind where there is one, then that of a group that ships with Kubernetes, in
//! discovery's order; only names that are in several other groups are ambiguous. `pods` and `nodes` never mean
//! metrics.k8s.io.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use kubeplex_proto::kind::{GroupResource, KindInfo, KindTable, Scope};
use kubeplex_proto::nearest::nearest;
use kubeplex_proto::usage::METRICS_GROUP;

use crate::error::{CallError, ErrorCode};
use crate::fleet::ClusterView;
use crate::resolve;

use super::guard::short;

/// A kind that at least one visible cluster has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResolvedKind {
    pub(crate) id: GroupResource,
    /// `Pod`.
    pub(crate) kind: String,
    /// Set where the caller named one.
    pub(crate) version: Option<String>,
    /// `None` where nobody said it.
    pub(crate) scope: Option<Scope>,
}

/// One way to read a text.
#[derive(Debug)]
struct Spelling<'a> {
    name: &'a str,
    group: Option<&'a str>,
    version: Option<&'a str>,
}

/// What there is for a caller.
struct Seen<'a> {
    /// The kinds of each different cluster, in its order.
    tables: Vec<Vec<&'a KindInfo>>,
    /// Groups of which some cluster can't tell what is in them.
    failed_groups: BTreeSet<&'a str>,
}

/// A kind that a spelling may mean, over all clusters.
struct Match<'a> {
    info: &'a KindInfo,
    versions: BTreeSet<&'a str>,
    /// Lower is meant sooner: by a full name before a short one, core, Kubernetes' own groups, others; then discovery's
    /// order.
    rank: (u8, u8, usize),
}

/// Clusters whose kinds are not known that a message names.
const MAX_NAMED: usize = 5;

/// A kind that any cluster of the fleet has and its caller may see something of; those `asked` may still lack it.
///
/// # Errors
/// `not_found` with the nearest kinds that the caller may see and the clusters asked that can't be judged by; `unavailable`
/// where that is all of them; `invalid_argument` for a name in several groups, and for a text that is no kind.
pub(crate) fn find(
    text: &str,
    scope: &resolve::Scope<'_>,
    asked: &[Arc<ClusterView>],
) -> Result<ResolvedKind, CallError> {
    look_up(text, &seen(scope)).map_err(|error| match error.code {
        ErrorCode::NotFound => qualified(error, text, asked),
        _ => error,
    })
}

fn look_up(text: &str, seen: &Seen<'_>) -> Result<ResolvedKind, CallError> {
    if text.trim_matches(',').contains(',') {
        return Err(CallError::invalid(format!(
            "kind: \"{}\" are several kinds; ask for one of them at a time",
            short(text, 60)
        )));
    }
    let (text, version) = split_version(text)?;
    for mut spelling in spellings(text) {
        spelling.version = spelling.version.or(version);
        let mut matches = matches(&spelling, &seen.tables);
        // `pods.v1` means only a kind that some cluster serves as v1; behind a group or a slash the error tells more.
        if version.is_none() && spelling.group.is_none() {
            matches.retain(|found| spelling.version.is_none_or(|version| found.versions.contains(version)));
        }
        if !matches.is_empty() {
            return choose(&spelling, &matches);
        }
    }
    Err(unknown(text, seen))
}

/// Of the different tables, because clusters alike share one, what the caller may see: the rest is like what there is not.
fn seen<'a>(scope: &resolve::Scope<'a>) -> Seen<'a> {
    let mut known = HashSet::new();
    let tables = scope.fleet.clusters().iter().filter_map(|cluster| cluster.kinds.as_deref());
    let tables: Vec<_> = tables.filter(|table| known.insert(std::ptr::from_ref(*table))).collect();
    let failed = tables.iter().flat_map(|table| &table.failed_groups).map(|(group, _)| group.as_str());
    let failed_groups = failed.filter(|group| scope.visibility.reaches_group(group)).collect();
    let seen = |table: &&'a KindTable| {
        table.kinds.iter().filter(|info| scope.visibility.shows_kind(info)).collect::<Vec<_>>()
    };
    Seen { tables: tables.iter().map(seen).collect(), failed_groups }
}

/// `certificates.cert-manager.io/v1` → the name and the version.
fn split_version(text: &str) -> Result<(&str, Option<&str>), CallError> {
    match text.trim().split_once('/') {
        None => Ok((text.trim(), None)),
        Some((name, version)) if is_version(version) => Ok((name, Some(version))),
        Some(_) => Err(CallError::invalid(format!(
            "kind: \"{}\" is not a kind: only a version may follow the slash, as in deployments.apps/v1",
            short(text, 60)
        ))),
    }
}

/// `pods`, `deployments.apps`, `deployments.v1.apps`, `pods.v1`; the first reading that leads to a kind counts.
fn spellings(text: &str) -> Vec<Spelling<'_>> {
    let Some((name, rest)) = text.split_once('.') else {
        return vec![Spelling { name: text, group: None, version: None }];
    };
    let rest_is_group = Spelling { name, group: Some(rest), version: None };
    let (version, group) =
        rest.split_once('.').map_or((rest, None), |(version, group)| (version, Some(group)));
    if is_version(version) {
        vec![Spelling { name, group, version: Some(version) }, rest_is_group]
    } else {
        vec![rest_is_group]
    }
}

/// `v1`, `v2beta1`.
fn is_version(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('v') else { return false };
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let stage = &rest[digits..];
    let stage_number = stage.strip_prefix("alpha").or_else(|| stage.strip_prefix("beta"));
    digits > 0
        && (stage.is_empty()
            || stage_number
                .is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())))
}

fn matches<'a>(spelling: &Spelling<'_>, tables: &[Vec<&'a KindInfo>]) -> Vec<Match<'a>> {
    let exact = matches_in(spelling, tables, |group, wanted| group == wanted);
    if !exact.is_empty() || spelling.group.is_none_or(str::is_empty) {
        return exact;
    }
    // As in kubectl, the beginning of a group is enough: certificates.cert-manager.
    matches_in(spelling, tables, |group, wanted| group.starts_with(wanted))
}

fn matches_in<'a>(
    spelling: &Spelling<'_>,
    tables: &[Vec<&'a KindInfo>],
    is_group: impl Fn(&str, &str) -> bool,
) -> Vec<Match<'a>> {
    let mut found: BTreeMap<&GroupResource, Match<'a>> = BTreeMap::new();
    for table in tables {
        for (at, info) in table.iter().copied().enumerate() {
            let Some(spelled) = spelled(spelling, info) else { continue };
            if spelling.group.is_some_and(|wanted| !is_group(&info.id.group, wanted)) {
                continue;
            }
            let rank = (spelled, group_rank(&info.id.group), at);
            let known =
                found.entry(&info.id).or_insert_with(|| Match { info, versions: BTreeSet::new(), rank });
            known.rank = known.rank.min(rank);
            known.versions.extend(info.versions.iter().map(String::as_str).chain([info.version.as_str()]));
        }
    }
    let mut matches: Vec<_> = found.into_values().collect();
    // Of kinds with one name, those that are served in the version asked for.
    if let Some(version) = spelling.version
        && matches.iter().any(|found| found.versions.contains(version))
    {
        matches.retain(|found| found.versions.contains(version));
    }
    matches.sort_by_key(|found| found.rank);
    matches
}

/// How a kind is called by this name, if it is: 0 in full, 1 by a short name.
fn spelled(spelling: &Spelling<'_>, info: &KindInfo) -> Option<u8> {
    let is = |name: &str| name.eq_ignore_ascii_case(spelling.name);
    let in_full = is(&info.id.resource) || is(&info.singular);
    let by_kind = is(&info.kind);
    if in_full && !by_kind && spelling.group.is_none() && info.id.group == METRICS_GROUP {
        return None;
    }
    if in_full || by_kind {
        return Some(0);
    }
    info.short_names.iter().any(|name| is(name)).then_some(1)
}

fn group_rank(group: &str) -> u8 {
    match group {
        "" => 0,
        METRICS_GROUP => 2,
        group if !group.contains('.') || group.ends_with(".k8s.io") => 1,
        _ => 2,
    }
}

fn choose(spelling: &Spelling<'_>, matches: &[Match<'_>]) -> Result<ResolvedKind, CallError> {
    let Some(best) = matches.first() else { return Err(CallError::invalid("kind: empty")) };
    let alike: Vec<_> =
        matches.iter().filter(|other| (other.rank.0, other.rank.1) == (best.rank.0, best.rank.1)).collect();
    if best.rank.1 == 2 && alike.len() > 1 {
        let mut names: Vec<_> = alike.iter().map(|found| found.info.id.to_string()).collect();
        names.sort_unstable();
        return Err(CallError::invalid(format!(
            "kind: \"{}\" is in several groups: {}; name one of them",
            short(spelling.name, 60),
            names.join(", ")
        )));
    }
    let id = best.info.id.clone();
    if let Some(version) = spelling.version.filter(|version| !best.versions.contains(version)) {
        let served: Vec<_> = best.versions.iter().copied().collect();
        let message =
            format!("kind: {id} has no version {}; served are {}", short(version, 20), served.join(", "));
        return Err(CallError::new(ErrorCode::NotFound, message));
    }
    if !best.info.verbs.is_empty() && !best.info.has_verb("list") && !best.info.has_verb("get") {
        return Err(CallError::invalid(format!(
            "kind: {id} can only be created, so there is nothing to read"
        )));
    }
    Ok(ResolvedKind {
        id,
        kind: best.info.kind.clone(),
        version: spelling.version.map(str::to_owned),
        scope: Some(best.info.scope),
    })
}

/// "There is none" holds only for clusters that said what they serve.
fn qualified(error: CallError, text: &str, asked: &[Arc<ClusterView>]) -> CallError {
    let unknown: Vec<_> =
        asked.iter().filter_map(|cluster| Some((&cluster.id, cluster.kinds_trouble()?))).collect();
    if unknown.is_empty() {
        return error;
    }
    let mut named: Vec<_> =
        unknown.iter().take(MAX_NAMED).map(|(id, why)| format!("{id} ({})", short(why, 120))).collect();
    if unknown.len() > MAX_NAMED {
        named.push(format!("{} more", unknown.len() - MAX_NAMED));
    }
    let named = named.join(", ");
    if unknown.len() == asked.len() {
        let who = if asked.len() == 1 {
            "the cluster asked has not".to_owned()
        } else {
            format!("none of the {} clusters asked has", asked.len())
        };
        let message = format!(
            "kind: \"{}\" can't be looked up: {who} reported its kinds yet: {named}",
            short(text, 60)
        );
        return CallError::new(ErrorCode::Unavailable, message)
            .with_hint("clusters_list shows how each cluster's link and data stand")
            .retry_after_ms(1_000);
    }
    let have = if unknown.len() == 1 { "has not reported its" } else { "have not reported their" };
    let message =
        format!("{}; of {} clusters, {} {have} kinds: {named}", error.message, asked.len(), unknown.len());
    CallError { message, ..error }
}

fn unknown(text: &str, seen: &Seen<'_>) -> CallError {
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    for info in seen.tables.iter().flatten() {
        let id = info.id.to_string();
        for name in [&info.id.resource, &info.singular, &info.kind].into_iter().chain(&info.short_names) {
            names.entry(name).or_insert_with(|| id.clone());
        }
    }
    let name = text.split('.').next().unwrap_or(text);
    let mut message = format!("kind: no cluster has \"{}\"", short(text, 60));
    let mut kinds: Vec<&str> =
        nearest(name, names.keys().copied()).iter().map(|name| names[name].as_str()).collect();
    let mut told = HashSet::new();
    kinds.retain(|kind| told.insert(*kind));
    if !kinds.is_empty() {
        message.push_str(&format!("; did you mean {}?", kinds.join(", ")));
    }
    let mut error = CallError::new(ErrorCode::NotFound, message);
    if !seen.failed_groups.is_empty() {
        let failed: Vec<_> = seen.failed_groups.iter().take(5).map(|group| short(group, 80)).collect();
        error = error.with_hint(format!("in some cluster these groups do not answer: {}", failed.join(", ")));
    }
    error
}

#[cfg(test)]
mod tests;
