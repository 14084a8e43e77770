//! Roles and their bindings.

use serde_json::Value;

use super::field::{list, text};
use super::{AGE, DEFAULT, Entry, NAME, narrow, wide};

const BINDINGS: &[Entry] = &[
    NAME,
    narrow("Role", |binding| {
        format!("{}/{}", text(binding, "/roleRef/kind"), text(binding, "/roleRef/name")).into()
    }),
    AGE,
    wide("Users", |binding| subjects(binding, "User").into()),
    wide("Groups", |binding| subjects(binding, "Group").into()),
    wide("ServiceAccounts", |binding| subjects(binding, "ServiceAccount").into()),
];

pub(super) fn entries(group: &str, resource: &str) -> Option<&'static [Entry]> {
    Some(match (group, resource) {
        ("rbac.authorization.k8s.io", "roles" | "clusterroles") => DEFAULT,
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => BINDINGS,
        _ => return None,
    })
}

fn subjects(binding: &Value, kind: &str) -> String {
    let of_kind = list(binding, "/subjects").iter().filter(|subject| subject["kind"] == kind);
    let names = of_kind.map(|subject| match kind {
        "ServiceAccount" => format!("{}/{}", text(subject, "/namespace"), text(subject, "/name")),
        _ => text(subject, "/name").to_owned(),
    });
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_names, named};

    #[test]
    fn columns_are_the_servers() {
        for (roles, bindings) in [("roles", "rolebindings"), ("clusterroles", "clusterrolebindings")] {
            check_names(&format!("{roles}.rbac.authorization.k8s.io"), "Name, Created At");
            let expected = "Name, Role, Age, [Users], [Groups], [ServiceAccounts]";
            check_names(&format!("{bindings}.rbac.authorization.k8s.io"), expected);
        }
    }

    #[test]
    fn bindings_list_their_subjects_by_kind() {
        let binding = named(
            "b",
            json!({
                "roleRef": {"kind": "ClusterRole", "name": "view"},
                "subjects": [
                    {"kind": "User", "name": "ann"}, {"kind": "Group", "name": "devs"}, {"kind": "User", "name": "bob"},
                    {"kind": "ServiceAccount", "namespace": "ci", "name": "bot"},
                ],
            }),
        );
        check(
            "rolebindings.rbac.authorization.k8s.io",
            &binding,
            &json!({"role": "ClusterRole/view", "users": "ann, bob", "groups": "devs", "serviceaccounts": "ci/bot"}),
        );
        let empty = named("b", json!({"roleRef": {"kind": "Role", "name": "x"}}));
        check(
            "clusterrolebindings.rbac.authorization.k8s.io",
            &empty,
            &json!({"users": "", "serviceaccounts": ""}),
        );
    }
}
