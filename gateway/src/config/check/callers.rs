//! `[[caller]]`: names that may be claimed, tokens that are told apart, patterns that can match.

use std::collections::HashMap;

use kubeplex_proto::call::Identity;
use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::nearest::nearest;
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::visibility::{Reach, Visibility, VisibilityRule};

use super::Mistakes;
use crate::config::{CallerSection, ConfigError, ConfiguredCaller, ExpectedCluster, LOCAL_USER, TokenHash};

/// Kubernetes' own names; whoever could claim one would be whatever it stands for.
const RESERVED: &str = "system:";

/// Bytes of a user's or a group's name; they travel in headers.
const NAME_BYTES: usize = 256;

/// One section by itself.
pub(in crate::config) fn caller(section: &CallerSection) -> Result<ConfiguredCaller, ConfigError> {
    let mut mistakes = Mistakes::default();
    match mistakes.caller(section, str::to_owned) {
        Some(caller) => mistakes.into_result(caller),
        None => Err(ConfigError::Wrong(mistakes.0)),
    }
}

impl Mistakes {
    pub(super) fn callers(
        &mut self,
        sections: &[CallerSection],
        clusters: &[ExpectedCluster],
    ) -> Vec<ConfiguredCaller> {
        let of_clusters = clusters.iter().filter_map(|cluster| {
            Some((cluster.token?.0, format!("the agent of the cluster \"{}\"", cluster.id)))
        });
        let mut tokens: HashMap<_, _> = of_clusters.collect();
        let mut callers = Vec::new();
        for (index, section) in sections.iter().enumerate() {
            let at = |field: &str| format!("caller[{index}].{field}");
            let caller = self.caller(section, at);
            self.known_clusters(&section.clusters, clusters, at);
            let Some(caller) = caller else { continue };
            if let Some(other) = tokens.insert(caller.token.0, format!("caller[{index}]")) {
                let problem = format!("{other} has the same token; each needs its own");
                self.add(at("token_sha256"), problem);
            }
            callers.push(caller);
        }
        callers
    }

    /// `None` without a token's hash.
    fn caller(&mut self, section: &CallerSection, at: impl Fn(&str) -> String) -> Option<ConfiguredCaller> {
        self.name(&at("user"), &section.user);
        for (index, group) in section.groups.iter().enumerate() {
            self.name(&at(&format!("groups[{index}]")), group);
        }
        let token = self.caller_token(&at("token_sha256"), &section.token_sha256);
        let clusters = self.patterns(
            &section.clusters,
            |index| at(&format!("clusters[{index}]")),
            |text| ClusterId::new(text.replace('*', "x")).is_ok(),
        );
        let namespaces =
            self.patterns(&section.namespaces, |index| at(&format!("namespaces[{index}]")), is_name);
        let kinds = self.patterns(&section.kinds, |index| at(&format!("kinds[{index}]")), is_name);
        let cluster_scoped =
            self.patterns(&section.cluster_scoped, |index| at(&format!("cluster_scoped[{index}]")), is_name);
        Some(ConfiguredCaller {
            identity: Identity { user: section.user.clone(), groups: section.groups.clone() },
            token: token?,
            clusters: Reach::of(clusters),
            visibility: visibility(namespaces, kinds, cluster_scoped),
        })
    }

    fn name(&mut self, key: &str, name: &str) {
        let shown: String = name.chars().take(60).flat_map(char::escape_debug).collect();
        if name.is_empty() {
            self.add(key, "a name is missing, as clusters know it: \"anna@example.com\"");
        } else if name.starts_with(RESERVED) {
            let problem = format!(
                "\"{shown}\" is Kubernetes' own: nobody may claim a name that begins with {RESERVED}"
            );
            self.add(key, problem);
        } else if name == LOCAL_USER {
            let problem = format!(
                "\"{shown}\" is whoever sits at a gateway's own machine; name the person or the program that has the token"
            );
            self.add(key, problem);
        } else if name.len() > NAME_BYTES || name.chars().any(char::is_control) || name.trim() != name {
            let problem = format!(
                "\"{shown}\" is no name: at most {NAME_BYTES} bytes are wanted, without control characters or spaces around them"
            );
            self.add(key, problem);
        }
    }

    fn caller_token(&mut self, key: &str, text: &str) -> Option<TokenHash> {
        if text.is_empty() {
            self.add(key, "the SHA-256 of a token is missing; `kubeplex token create` makes both");
            return None;
        }
        self.token(key, text)
    }

    fn patterns(
        &mut self,
        texts: &[String],
        key: impl Fn(usize) -> String,
        is_pattern: impl Fn(&str) -> bool,
    ) -> Vec<Pattern> {
        for (index, text) in texts.iter().enumerate().filter(|(_, text)| !is_pattern(text)) {
            let problem = format!(
                "\"{text}\" can match nothing; write a name, a pattern such as prod-*, or * for all, each by itself in quotes"
            );
            self.add(key(index), problem);
        }
        texts.iter().map(Pattern::new).collect()
    }

    /// A pattern may wait for clusters to come; a whole name that is nobody's is a slip.
    fn known_clusters(
        &mut self,
        texts: &[String],
        clusters: &[ExpectedCluster],
        at: impl Fn(&str) -> String,
    ) {
        for (index, text) in texts.iter().enumerate() {
            let names = || clusters.iter().map(|cluster| cluster.id.as_str());
            if text.contains('*') || ClusterId::new(text).is_err() || names().any(|name| name == text) {
                continue;
            }
            let near = nearest(text, names());
            let remedy = if near.is_empty() {
                "add a [[cluster]] section of that name, or write a pattern".to_owned()
            } else {
                format!("did you mean {}?", near.join(" or "))
            };
            self.add(at(&format!("clusters[{index}]")), format!("there is no cluster \"{text}\"; {remedy}"));
        }
    }
}

/// What is not named is not visible: kinds without namespaces, or the other way round, show nothing.
fn visibility(namespaces: Vec<Pattern>, kinds: Vec<Pattern>, cluster_scoped: Vec<Pattern>) -> Visibility {
    let mut rules = Vec::new();
    if !namespaces.is_empty() && !kinds.is_empty() {
        rules.push(VisibilityRule::of(Reach::of(kinds), Reach::of(namespaces)));
    }
    if !cluster_scoped.is_empty() {
        rules.push(VisibilityRule::of_cluster_scoped(Reach::of(cluster_scoped)));
    }
    Visibility::of(rules)
}

/// Names of namespaces, resources and groups are made of these, and `*` stands for any.
fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | '*');
    !text.is_empty() && text.chars().all(allowed)
}
