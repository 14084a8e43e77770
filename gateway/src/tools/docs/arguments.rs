//! What arguments mean, in more words than models are charged for.

mod logs;
mod top;

use crate::limits::{DEFAULT_LIMIT, DEFAULT_MAX_BYTES, DEFAULT_TIMEOUT_S, MAX_DISTINCT_OBJECTS};
use crate::tools::api_resources_list::KindColumn;
use crate::tools::changes_list::ChangeColumn;
use crate::tools::clusters_list::{ClusterColumn, Shown};
use crate::tools::problems_list::ProblemColumn;

pub(super) struct Meaning {
    /// In the words of a table.
    pub(super) default: String,
    pub(super) text: String,
}

/// # Panics
/// For an argument that nobody explained here yet.
pub(super) fn meaning(tool: &str, argument: &str) -> Meaning {
    if tool == "pods_log"
        && let Some(meaning) = logs::meaning(argument)
    {
        return meaning;
    }
    let (default, text) = match (tool, argument) {
        ("resource_explain", "cluster") => (
            "all clusters",
            "the first of these is asked that has the kind; those with another version are named",
        ),
        (_, "cluster") => ("all clusters", "clusters, by name, comma list or glob: `prod-*`"),
        (_, "clusterSelector") => {
            ("", "clusters, by a label selector over their labels: `env=prod,region in (eu,us)`")
        }
        ("events_list", "namespace") => {
            ("all", "name, comma list or glob; of the objects that events tell of")
        }
        ("changes_list", "namespace") => ("all", "name, comma list or glob; of the objects that changed"),
        ("problems_list", "namespace") => {
            ("all", "name, comma list or glob; of the objects that problems are of")
        }
        ("fleet_diff", "namespace") => (
            "all",
            "name, comma list or glob; alone: all kinds in it that somebody makes objects of for their own sake",
        ),
        ("fleet_diff", "kind") => ("", "as for resources_list; needed unless `name` or `manifest` says it"),
        ("fleet_diff", "baseline") => {
            ("majority", "the cluster that the others are compared with; else what most of them have")
        }
        ("fleet_diff", "toNamespace") => {
            ("", "a namespace whose objects are compared with those of `namespace`")
        }
        ("fleet_diff", "manifest") => (
            "",
            "objects as YAML or JSON, several documents or a list, that the clusters are compared with; up to 256 KiB",
        ),
        ("fleet_diff", "ignore") => (
            "",
            "paths that may differ, as a comma list: `spec.replicas,metadata.annotations['a.b/c'],\
             spec.template.spec.containers[*].image`",
        ),
        ("fleet_diff", "maxBytes") => {
            return numbered(
                DEFAULT_MAX_BYTES,
                "bytes of the structured answer; the largest values are left out, then the last objects",
            );
        }
        ("fleet_search", "query") => (
            "",
            "words and `key:value`, all of which must hold: `cart status:Crash* restarts>5 -ns:kube-system`; see \
             [search.md](search.md)",
        ),
        ("fleet_search", "namespace") => ("all", "name, comma list or glob; of the objects searched"),
        ("fleet_search", "fields") => (
            "kind, name, status, age, match",
            "columns or paths, as a comma list; `image` and `namespace` are known of all kinds, columns of some kinds are \
             empty for the others",
        ),
        ("fleet_search", "sortBy") => (
            "match, kind, cluster, namespace, name",
            "as for resources_list; `match` puts the whole name first, then its beginning, a part of it, and the rest",
        ),
        ("fleet_search", "freshness") => {
            ("`cache`", "`live` is refused: a search looks through what agents hold")
        }
        (_, "namespace") => ("all", "name, comma list or glob; of kinds that are in namespaces"),
        ("resources_get", "kind") => ("", "as for resources_list; needed unless `name` says it"),
        ("problems_list", "kind") => {
            ("", "as for resources_list: objects of this kind, and what descends from them")
        }
        ("events_list", "kind") => ("", "of the objects that events tell of, as for resources_list"),
        ("changes_list", "kind") => ("all", "of the objects that changed, as for resources_list"),
        ("api_resources_list", "kind") => ("all", "names, short names or globs, as a comma list: `cert*,po`"),
        ("top", "kind") => ("`pods`", "of what: pods, or nodes"),
        (_, "kind") => {
            ("", "as in kubectl: `po`, `Deployment`, `deployments.apps`, `certificates.cert-manager.io/v1`")
        }
        ("problems_list", "name") => (
            "",
            "name, comma list or glob: these objects, what descends from them, and what is there for them (services, ingresses, \
             autoscalers, disruption budgets, what they mount); `deployment/cart` says the kind, too",
        ),
        ("resources_describe", "logs") => (
            "no",
            "also the commonest sorts of errors in the last lines that its pods wrote, read as the caller, who needs the right to \
             `pods/log`",
        ),
        (_, "severity") => ("`info`", "at least so severe"),
        ("events_list", "name") => (
            "",
            "of the objects that events tell of: name, comma list or glob; `deployment/cart` says the kind, too",
        ),
        ("resource_explain", "path") => (
            "the object itself",
            "a field, with dots: `spec.template.spec.containers`; lists and maps are passed through",
        ),
        ("resource_explain", "depth") => ("1", "levels of fields below it"),
        ("resources_get", "name") => (
            "",
            "name, comma list or glob; `deployment/cart` says the kind, too, and `k8s://prod-eu/shop/apps/deployments/cart` \
             all there is to say",
        ),
        ("changes_list", "name") => (
            "",
            "name, comma list or glob; `deployment/cart` says the kind, too. What the objects are related to is told as well: \
             owners, what they own, what they mount, their nodes, services, ingresses, autoscalers and disruption budgets. Of the named objects \
             changes of their status are told, too",
        ),
        (_, "name") => ("", "name, comma list or glob; `deployment/cart` says the kind, too"),
        (_, "labelSelector") => ("", "as in kubectl: `app=cart,tier!=cache`"),
        (_, "fieldSelector") => {
            ("", "as in kubectl, on any path to a single value: `status.phase!=Running,spec.nodeName=n1`")
        }
        ("resources_get", "fields") => (
            "whole objects",
            "paths to keep, as a comma list: `spec.replicas,spec.template.spec.containers[*].image`",
        ),
        ("clusters_list", "fields") => {
            return Meaning { default: "the usual columns".to_owned(), text: columns_of_clusters() };
        }
        ("api_resources_list", "fields") => {
            return Meaning { default: "the usual columns".to_owned(), text: columns_of_kinds() };
        }
        ("changes_list", "fields") => {
            return Meaning { default: "the usual columns".to_owned(), text: columns_of_changes() };
        }
        ("top", "fields") => {
            return Meaning { default: "the usual columns".to_owned(), text: top::columns() };
        }
        ("problems_list", "fields") => {
            return Meaning { default: "the usual columns".to_owned(), text: columns_of_problems() };
        }
        (_, "fields") => (
            "the kind's columns",
            "columns or paths, as a comma list: `name,spec.nodeName,cluster.labels.region`; `column.cluster` and \
             `column.namespace` are a kind's own columns of that name; `*` alone is all columns of the kind, those among \
             them that are not usual, as `kubectl get -o wide` shows them",
        ),
        ("clusters_list", "sortBy") => (
            "name",
            "columns, as a comma list; `-` for descending. A cluster whose value changes between two pages moves: \
             `dataAge` does so for clusters whose data is proved anew",
        ),
        ("problems_list", "sortBy") => (
            "-severity, -clusters, -objects, firstSeen",
            "columns, as a comma list; `-` for descending: what is gravest, widest and newest comes first",
        ),
        ("top", "sortBy") => ("-cpu", "as for resources_list; what has no sample comes last"),
        ("api_resources_list", "sortBy") => ("group, name", "columns, as a comma list; `-` for descending"),
        ("changes_list", "sortBy") => {
            ("-time", "columns, as a comma list; `-` for descending, so that the newest comes first")
        }
        ("events_list", "sortBy") => (
            "lastSeen",
            "as for resources_list; `lastSeen` is the time since then, so that the newest comes first",
        ),
        (_, "sortBy") => (
            "cluster, namespace, name",
            "columns or paths, as a comma list: one order over all clusters; `-` for descending, missing values last, \
             quantities and times by value (`-age`: oldest first)",
        ),
        ("api_resources_list", "groupBy") => (
            "",
            "counts instead of rows: columns as a comma list, with `sum(clusters)`; with `cluster` or `cluster.labels.env` a \
             kind counts once for each cluster that has it",
        ),
        ("top", "groupBy") => (
            "",
            "counts instead of rows, over all clusters, with sums in the same units: `namespace,sum(cpu),sum(cpuRequest)`, \
             `node,sum(memory)`, `metadata.labels['app'],sum(cpu)`",
        ),
        ("changes_list", "groupBy") => (
            "",
            "counts instead of rows: columns as a comma list, as in `by,namespace`; with `cluster` or `cluster.labels.env` a \
             change counts once for each cluster in which it happened",
        ),
        ("clusters_list", "groupBy") => {
            ("", "counts instead of rows: columns as a comma list, with sums: `labels.region,sum(nodes)`")
        }
        ("problems_list", "groupBy") => (
            "",
            "counts instead of rows: columns as a comma list, with `sum(objects)`; with `cluster`, `cluster.labels.env` or \
             `namespace` a problem counts once in each",
        ),
        (_, "groupBy") => (
            "",
            "counts instead of rows, over all clusters: columns, paths, `cluster`, `cluster.labels.env`, and sums of numbers \
             and quantities: `namespace,status,sum(restarts)`. Columns are these, `count`, and the sums, which `sortBy` \
             takes; without it the largest count comes first",
        ),
        ("changes_list", "since") => {
            ("1h", "changed then or later: `90s`, `10m`, `2h`, `3d` ago, or a time in RFC 3339")
        }
        ("changes_list", "until") => ("now", "changed then or earlier; without `since`, in the hour before"),
        (_, "around") => (
            "",
            "a time, as in `since`, in place of `since` and `until`: what changed shortly before and after it",
        ),
        (_, "window") => ("10m", "how long before and after `around`: a duration"),
        ("problems_list", "since") => (
            "",
            "last seen then or later: `90s`, `10m`, `2h`, `3d` ago, or a time in RFC 3339; what is so now is always",
        ),
        ("problems_list", "until") => ("now", "last seen then or earlier"),
        (_, "since") => {
            ("1h", "last seen then or later: `90s`, `10m`, `2h`, `3d` ago, or a time in RFC 3339")
        }
        (_, "until") => ("now", "last seen then or earlier; without `since`, in the hour before"),
        (_, "limit") => return numbered(DEFAULT_LIMIT, "rows of a page"),
        (_, "continue") => (
            "the first page",
            "the cursor in the answer before; what is asked for must be the same, the size of pages need not",
        ),
        ("resources_get", "maxBytes") => {
            return numbered(
                DEFAULT_MAX_BYTES,
                &format!(
                    "bytes of the structured answer; the largest parts of objects are left out and named, but more than \
                     {MAX_DISTINCT_OBJECTS} different objects are `too_large`"
                ),
            );
        }
        (_, "maxBytes") => {
            return numbered(
                DEFAULT_MAX_BYTES,
                "bytes of the structured answer; a page ends where they are full",
            );
        }
        ("clusters_list" | "api_resources_list" | "changes_list", "freshness") => {
            ("`cache`", "`live` is refused: agents push what this tool says")
        }
        ("problems_list", "freshness") => {
            ("`cache`", "`live` is refused: agents judge objects when they change")
        }
        ("top", "freshness") => (
            "`cache`",
            "usage is always read live, as the caller, and one read answers the same caller for ten seconds, so that pages \
             follow; `live` reads it anew",
        ),
        (_, "freshness") => {
            ("`cache`", "`live`: the API servers are asked, as the caller, where the agents may do so")
        }
        (_, "minCoverage") => {
            ("", "percent of the clusters asked that must answer; else the call fails with `unavailable`")
        }
        (_, "timeoutSeconds") => {
            return numbered(
                DEFAULT_TIMEOUT_S,
                "for the whole call; clusters that are later are missing from the answer",
            );
        }
        (_, "output") => ("`table`", "`json`: rows as objects, keyed by column"),
        (tool, argument) => panic!("explain {argument} of {tool} in this file"),
    };
    Meaning { default: default.to_owned(), text: text.to_owned() }
}

/// Each by name, so that the page knows the ones that are shown only when they are asked for.
fn columns_of_clusters() -> String {
    let named = |shown: Shown| {
        let columns = ClusterColumn::ALL.iter().filter(|column| column.shown() == shown);
        columns.map(|column| format!("`{}`", column.name())).collect::<Vec<_>>().join(", ")
    };
    format!(
        "columns, as a comma list. Usual are {}; where some cluster has something to say in them, {}, too. To be asked for: \
         {}, and one of the labels, as `labels.region` or `cluster.labels.region`",
        named(Shown::Always),
        named(Shown::InTrouble),
        named(Shown::OnRequest),
    )
}

fn columns_of_kinds() -> String {
    let named = |shown: Shown| {
        let columns = KindColumn::ALL.iter().filter(|column| column.shown() == shown);
        columns.map(|column| format!("`{}`", column.name())).collect::<Vec<_>>().join(", ")
    };
    format!(
        "columns, as a comma list. Usual are {}; {} where some cluster lacks a kind. To be asked for: {}, the clusters that \
         have it. `verbs` is `all` for a kind that can be read and written in every way",
        named(Shown::Always),
        named(Shown::InTrouble),
        named(Shown::OnRequest),
    )
}

fn columns_of_changes() -> String {
    let named = |shown: Shown| {
        let columns = ChangeColumn::ALL.iter().filter(|column| column.shown() == shown);
        columns.map(|column| format!("`{}`", column.name())).collect::<Vec<_>>().join(", ")
    };
    format!(
        "columns, as a comma list. Usual are {}; where some change has something to say in them, {}, too. To be asked for: {}",
        named(Shown::Always),
        named(Shown::InTrouble),
        named(Shown::OnRequest),
    )
}

fn columns_of_problems() -> String {
    let named = |shown: Shown| {
        let columns = ProblemColumn::ALL.iter().filter(|column| column.shown() == shown);
        columns.map(|column| format!("`{}`", column.name())).collect::<Vec<_>>().join(", ")
    };
    format!(
        "columns, as a comma list, and `cluster.labels.NAME`. Usual are {}; {} where some problem has any. To be asked for: \
         {}",
        named(Shown::Always),
        named(Shown::InTrouble),
        named(Shown::OnRequest),
    )
}

fn numbered(default: impl ToString, text: &str) -> Meaning {
    Meaning { default: default.to_string(), text: text.to_owned() }
}
