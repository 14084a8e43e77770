//! Webhooks and policies that decide what the API server admits.

use serde_json::Value;

use super::field::{UNSET, at, count, has, list, text};
use super::{AGE, Entry, NAME, narrow};

const WEBHOOKS: &[Entry] = &[NAME, narrow("Webhooks", |hooks| count(hooks, "/webhooks").into()), AGE];

const PARAM_KIND: Entry = narrow("ParamKind", |policy| param_kind(policy).into());

const VALIDATING_POLICIES: &[Entry] =
    &[NAME, narrow("Validations", |policy| count(policy, "/spec/validations").into()), PARAM_KIND, AGE];

const MUTATING_POLICIES: &[Entry] =
    &[NAME, narrow("Mutations", |policy| count(policy, "/spec/mutations").into()), PARAM_KIND, AGE];

const POLICY_BINDINGS: &[Entry] = &[
    NAME,
    narrow("PolicyName", |binding| text(binding, "/spec/policyName").into()),
    narrow("ParamRef", |binding| param_ref(binding).into()),
    AGE,
];

pub(super) fn entries(group: &str, resource: &str) -> Option<&'static [Entry]> {
    if group != "admissionregistration.k8s.io" {
        return None;
    }
    Some(match resource {
        "mutatingwebhookconfigurations" | "validatingwebhookconfigurations" => WEBHOOKS,
        "validatingadmissionpolicies" => VALIDATING_POLICIES,
        "mutatingadmissionpolicies" => MUTATING_POLICIES,
        "validatingadmissionpolicybindings" | "mutatingadmissionpolicybindings" => POLICY_BINDINGS,
        _ => return None,
    })
}

/// `rules.example.com/v1/ReplicaLimit`.
fn param_kind(policy: &Value) -> String {
    if !has(policy, "/spec/paramKind") {
        return UNSET.to_owned();
    }
    format!("{}/{}", text(policy, "/spec/paramKind/apiVersion"), text(policy, "/spec/paramKind/kind"))
}

/// `namespace/name`, with `*` for a namespace that is not said; or a selector, as Go prints one.
fn param_ref(binding: &Value) -> String {
    let (name, namespace) = (text(binding, "/spec/paramRef/name"), text(binding, "/spec/paramRef/namespace"));
    match (name, namespace) {
        ("", _) => at(binding, "/spec/paramRef/selector").map_or_else(|| UNSET.to_owned(), go_selector),
        (name, "") => format!("*/{name}"),
        (name, namespace) => format!("{namespace}/{name}"),
    }
}

/// `&LabelSelector{MatchLabels:map[string]string{a: b,},MatchExpressions:[]LabelSelectorRequirement{},}`
fn go_selector(selector: &Value) -> String {
    let mut labels: Vec<_> = selector
        .get("matchLabels")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}: {},", value.as_str().unwrap_or_default()))
        .collect();
    labels.sort_unstable();
    let expression = |expression: &Value| {
        let values: Vec<_> = list(expression, "/values").iter().filter_map(Value::as_str).collect();
        let (key, operator) = (text(expression, "/key"), text(expression, "/operator"));
        format!("LabelSelectorRequirement{{Key:{key},Operator:{operator},Values:[{}],}},", values.join(" "))
    };
    let expressions: String = list(selector, "/matchExpressions").iter().map(expression).collect();
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{}}},\
         MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}",
        labels.concat()
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_names, named};
    use super::*;

    #[test]
    fn columns_are_the_servers() {
        for (kind, expected) in [
            ("mutatingwebhookconfigurations", "Name, Webhooks, Age"),
            ("validatingwebhookconfigurations", "Name, Webhooks, Age"),
            ("validatingadmissionpolicies", "Name, Validations, ParamKind, Age"),
            ("mutatingadmissionpolicies", "Name, Mutations, ParamKind, Age"),
            ("validatingadmissionpolicybindings", "Name, PolicyName, ParamRef, Age"),
            ("mutatingadmissionpolicybindings", "Name, PolicyName, ParamRef, Age"),
        ] {
            check_names(&format!("{kind}.admissionregistration.k8s.io"), expected);
        }
    }

    #[test]
    fn webhooks_and_policies_are_counted() {
        let hooks = named("w", json!({"webhooks": [{}, {}]}));
        check("mutatingwebhookconfigurations.admissionregistration.k8s.io", &hooks, &json!({"webhooks": 2}));
        let kind = json!({"apiVersion": "rules.example.com/v1", "kind": "Limit"});
        let policy = named("p", json!({"spec": {"validations": [{}], "paramKind": kind}}));
        let shown = json!({"validations": 1, "paramkind": "rules.example.com/v1/Limit"});
        check("validatingadmissionpolicies.admissionregistration.k8s.io", &policy, &shown);
        let bare = json!({"mutations": 0, "paramkind": "<unset>"});
        check("mutatingadmissionpolicies.admissionregistration.k8s.io", &named("p", json!({})), &bare);
    }

    #[test]
    fn bindings_say_where_their_parameters_are() {
        let expressions = json!([{"key": "k", "operator": "In", "values": ["x", "y"]}]);
        for (reference, expected) in [
            (Value::Null, "<unset>"),
            (json!({"name": "n", "namespace": "ns"}), "ns/n"),
            (json!({"name": "n"}), "*/n"),
            (
                json!({"selector": {"matchLabels": {"b": "2", "a": "1"}, "matchExpressions": expressions}}),
                "&LabelSelector{MatchLabels:map[string]string{a: 1,b: 2,},MatchExpressions:[]LabelSelectorRequirement{\
                 LabelSelectorRequirement{Key:k,Operator:In,Values:[x y],},},}",
            ),
        ] {
            let binding = named("b", json!({"spec": {"policyName": "p", "paramRef": reference}}));
            let shown = json!({"policyname": "p", "paramref": expected});
            check("validatingadmissionpolicybindings.admissionregistration.k8s.io", &binding, &shown);
        }
    }
}
