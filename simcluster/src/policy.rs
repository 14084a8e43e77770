//! Who may do what: a small table of users (by bearer token) and grants, in place of a real server's authenticators and RBAC.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// A caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user name.
    pub name: String,
    /// The groups; `system:authenticated` is added by the server.
    pub groups: BTreeSet<String>,
}

impl User {
    /// A user in these groups.
    pub fn new(name: &str, groups: &[&str]) -> Self {
        Self { name: name.into(), groups: groups.iter().map(|group| (*group).to_owned()).collect() }
    }
}

/// Whom a grant is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A user by name.
    User(String),
    /// Everybody in a group.
    Group(String),
}

/// Rights, in the terms of an RBAC rule. `*` stands for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `impersonate`, …
    pub verbs: Vec<String>,
    /// API groups; the core group is the empty string.
    pub groups: Vec<String>,
    /// Plural names, with a subresource as `pods/log`; paths that are no resources, as `/metrics`.
    pub resources: Vec<String>,
    /// Only these namespaces; none means the whole cluster.
    pub namespaces: Vec<String>,
    /// Only objects of these names; none means all.
    pub names: Vec<String>,
}

impl Rule {
    /// `verbs` and `resources` as comma lists, in every group and namespace.
    pub fn new(verbs: &str, resources: &str) -> Self {
        let split = |text: &str| text.split(',').map(|word| word.trim().to_owned()).collect();
        Self { verbs: split(verbs), groups: vec!["*".into()], resources: split(resources), ..Self::default() }
    }

    /// Only in this namespace (repeat for more).
    #[must_use]
    pub fn in_namespace(mut self, namespace: &str) -> Self {
        self.namespaces.push(namespace.into());
        self
    }

    /// Only objects of this name (repeat for more).
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.names.push(name.into());
        self
    }

    fn allows(&self, asked: &Attributes<'_>) -> bool {
        let resource = match asked.subresource {
            "" => asked.resource.to_owned(),
            subresource => format!("{}/{subresource}", asked.resource),
        };
        covers(&self.verbs, asked.verb)
            && covers(&self.groups, asked.group)
            && covers_resource(&self.resources, &resource)
            && (self.namespaces.is_empty()
                || self.namespaces.iter().any(|namespace| namespace == asked.namespace))
            && (self.names.is_empty() || self.names.iter().any(|name| name == asked.name))
    }
}

/// Paths that are no resources are granted by name.
fn covers_resource(allowed: &[String], asked: &str) -> bool {
    if asked.starts_with('/') {
        allowed.iter().any(|allowed| allowed == asked)
    } else {
        covers(allowed, asked)
    }
}

fn covers(allowed: &[String], asked: &str) -> bool {
    allowed.iter().any(|allowed| allowed == "*" || allowed == asked)
}

/// What a request wants to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes<'a> {
    /// The verb in lower case.
    pub verb: &'a str,
    /// The API group, empty for core.
    pub group: &'a str,
    /// The plural name.
    pub resource: &'a str,
    /// `log`, `exec`, or empty.
    pub subresource: &'a str,
    /// Empty at the cluster scope.
    pub namespace: &'a str,
    /// Empty for lists.
    pub name: &'a str,
}

/// The table of users and grants.
#[derive(Clone, Debug)]
pub struct Policy {
    enforcement: Enforcement,
    users: BTreeMap<String, User>,
    grants: Vec<(Subject, Rule)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Enforcement {
    Off,
    On,
}

impl Policy {
    /// Everybody may do everything; nobody needs a token.
    pub fn allow_all() -> Self {
        Self { enforcement: Enforcement::Off, users: BTreeMap::new(), grants: Vec::new() }
    }

    /// Nobody may do anything but what is granted. Members of `system:masters` may do everything.
    pub fn enforced() -> Self {
        Self { enforcement: Enforcement::On, ..Self::allow_all() }
    }

    /// Knows a user by a bearer token.
    #[must_use]
    pub fn user(mut self, token: &str, user: User) -> Self {
        self.users.insert(token.into(), user);
        self
    }

    /// Grants rights.
    #[must_use]
    pub fn grant(mut self, subject: Subject, rule: Rule) -> Self {
        self.grants.push((subject, rule));
        self
    }

    /// The user behind a bearer token: nothing for an unknown token, the anonymous user for none.
    pub fn authenticate(&self, token: Option<&str>) -> Option<User> {
        match (self.enforcement, token) {
            (Enforcement::Off, _) => {
                Some(User::new("system:admin", &["system:masters", "system:authenticated"]))
            }
            (Enforcement::On, None) => Some(User::new("system:anonymous", &["system:unauthenticated"])),
            (Enforcement::On, Some(token)) => self.users.get(token).cloned().map(authenticated),
        }
    }

    /// Whether `user` may do this.
    pub fn allows(&self, user: &User, asked: &Attributes<'_>) -> bool {
        self.enforcement == Enforcement::Off
            || user.groups.contains("system:masters")
            || self.rules_of(user).any(|rule| rule.allows(asked))
    }

    /// Whether `user` may read version, health and discovery.
    pub fn allows_discovery(&self, user: &User) -> bool {
        self.enforcement == Enforcement::Off || user.groups.contains("system:authenticated")
    }

    /// Whether `user` may read a path that is no resource's.
    pub fn allows_path(&self, user: &User, path: &str) -> bool {
        let is_open = !path.starts_with("/metrics") && self.allows_discovery(user);
        is_open || self.allows(user, &Attributes { verb: "get", resource: path, ..Attributes::default() })
    }

    /// The `status` of a SelfSubjectRulesReview for one namespace.
    pub fn rules_review(&self, user: &User, namespace: &str) -> Value {
        let everything = Rule { groups: vec!["*".into()], ..Rule::new("*", "*") };
        let masters = user.groups.contains("system:masters").then_some(&everything);
        let here =
            |rule: &&Rule| rule.namespaces.is_empty() || rule.namespaces.iter().any(|n| n == namespace);
        let rules = self.rules_of(user).filter(here).chain(masters).map(|rule| {
            let mut value =
                json!({"verbs": rule.verbs, "apiGroups": rule.groups, "resources": rule.resources});
            if !rule.names.is_empty() {
                value["resourceNames"] = json!(rule.names);
            }
            value
        });
        let paths =
            ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/readyz", "/version", "/version/"];
        json!({
            "resourceRules": rules.collect::<Vec<_>>(),
            "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": paths}],
            "incomplete": false,
        })
    }

    fn rules_of(&self, user: &User) -> impl Iterator<Item = &Rule> {
        let mine = |subject: &Subject| match subject {
            Subject::User(name) => *name == user.name,
            Subject::Group(group) => user.groups.contains(group),
        };
        self.grants.iter().filter(move |(subject, _)| mine(subject)).map(|(_, rule)| rule)
    }
}

/// Whoever is known, or impersonated, is authenticated.
pub(crate) fn authenticated(mut user: User) -> User {
    user.groups.insert("system:authenticated".into());
    user
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy::enforced()
            .user("t-reader", User::new("reader", &["devs"]))
            .grant(Subject::User("reader".into()), Rule::new("get,list,watch", "pods").in_namespace("shop"))
            .grant(Subject::Group("devs".into()), Rule::new("get", "configmaps").named("motd"))
    }

    #[test]
    fn rights_follow_the_table() {
        let policy = policy();
        let reader = policy.authenticate(Some("t-reader")).unwrap();
        let list =
            |namespace| Attributes { verb: "list", resource: "pods", namespace, ..Attributes::default() };
        assert!(policy.allows(&reader, &list("shop")));
        assert!(!policy.allows(&reader, &list("payments")));
        assert!(!policy.allows(&reader, &list("")), "a namespaced grant does not reach the cluster scope");
        assert!(!policy.allows(&reader, &Attributes { subresource: "log", verb: "get", ..list("shop") }));
        let get = |name| Attributes { verb: "get", resource: "configmaps", name, ..Attributes::default() };
        assert!(policy.allows(&reader, &get("motd")));
        assert!(!policy.allows(&reader, &get("other")));
    }

    #[test]
    fn tokens_name_users() {
        let policy = policy();
        assert_eq!(policy.authenticate(Some("wrong")), None);
        assert_eq!(policy.authenticate(None).unwrap().name, "system:anonymous");
        assert!(!policy.allows_discovery(&policy.authenticate(None).unwrap()));
        assert_eq!(Policy::allow_all().authenticate(None).unwrap().name, "system:admin");
    }
}
