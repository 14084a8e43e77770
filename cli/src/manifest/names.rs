//! Names that end in a manifest, each valid once it exists.

use std::fmt;
use std::str::FromStr;

/// A namespace: a DNS label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Namespace(String);

/// An API group that somebody defined: a DNS name with a dot in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiGroup(String);

/// A user or a group, as the API server knows them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Principal(String);

/// A user whose name may be impersonated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum UserName {
    /// Whoever it is.
    Any,
    Named(Principal),
}

/// A label of a cluster in the gateway's configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    pub key: String,
    pub value: String,
}

/// A text that is no such name, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidName(String);

impl FromStr for Namespace {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if is_dns_label(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidName("a namespace has 1 to 63 lower-case letters, digits and inner hyphens".to_owned()))
    }
}

impl FromStr for ApiGroup {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if text == "*" {
            let problem = "RBAC can't say \"all but\", so every group would be the core group too, with its Secrets; name groups, \
                           as in cert-manager.io";
            return Err(InvalidName(problem.to_owned()));
        }
        if text.len() <= 253 && text.contains('.') && text.split('.').all(is_dns_label) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidName("the group of custom resources is a DNS name, as in cert-manager.io".to_owned()))
    }
}

impl FromStr for Principal {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if text.is_empty() || text == "*" || text.trim() != text || text.chars().any(char::is_control) {
            return Err(InvalidName("a name as the API server knows it is wanted".to_owned()));
        }
        if text.starts_with("system:") {
            let problem = "names that begin with system: are the API server's own, and no caller's";
            return Err(InvalidName(problem.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl FromStr for UserName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if text == "*" { Ok(Self::Any) } else { text.parse().map(Self::Named) }
    }
}

impl FromStr for Label {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() && !text.chars().any(char::is_control) => {
                Ok(Self { key: key.to_owned(), value: value.to_owned() })
            }
            _ => Err(InvalidName("a label is KEY=VALUE".to_owned())),
        }
    }
}

impl Namespace {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ApiGroup {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Principal {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_dns_label(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(allowed)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told<T: FromStr<Err = InvalidName>>(text: &str) -> String {
        text.parse::<T>().err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_is_no_name_is_refused_with_what_would_be() {
        for (told, wanted) in [
            (told::<Namespace>("shop-1"), ""),
            (told::<Namespace>("Shop"), "lower-case"),
            (told::<Namespace>("-shop"), "inner hyphens"),
            (told::<Namespace>("a\n---"), "1 to 63"),
            (told::<ApiGroup>("cert-manager.io"), ""),
            (told::<ApiGroup>("apps"), "DNS name"),
            (told::<ApiGroup>("*"), "with its Secrets"),
            (told::<Principal>("oidc:alice@example.com"), ""),
            (told::<Principal>("system:masters"), "no caller's"),
            (told::<Principal>("*"), "a name"),
            (told::<UserName>("*"), ""),
            (told::<UserName>("system:kube-scheduler"), "no caller's"),
            (told::<Label>("env=prod"), ""),
            (told::<Label>("env="), ""),
            (told::<Label>("env"), "KEY=VALUE"),
        ] {
            assert!(told.contains(wanted) && told.is_empty() == wanted.is_empty(), "{told}, not {wanted}");
        }
    }
}
