//! What an object is called on a command line: `KIND`, `KIND/NAME` or `KIND NAME`.

use clap::Args;
use serde::Serialize;

use super::question::UsageError;
use crate::completion;

/// Before an object's whole identity, which says cluster, namespace and kind as well.
const IDENTITY: &str = "k8s://";

/// One word or two.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ObjectWords {
    /// KIND, KIND/NAME or KIND NAME, as kubectl takes them: deploy, deploy/cart, certificates.cert-manager.io cart-tls
    #[arg(value_name = "KIND[/NAME]", num_args = 0..=2, add = completion::object())]
    pub(super) object: Vec<String>,
}

/// As ever many names of one kind.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ObjectsWords {
    /// KIND, KIND/NAME or KIND NAME…, as kubectl takes them: deploy, deploy/cart, certificates.cert-manager.io cart-tls
    #[arg(value_name = "KIND[/NAME]", required = true, add = completion::object())]
    pub(super) object: Vec<String>,
}

/// By the names of the tools' arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Object {
    pub(super) kind: Option<String>,
    pub(super) name: Option<String>,
}

impl ObjectWords {
    pub(super) fn object(&self) -> Result<Object, UsageError> {
        Object::of(&self.object)
    }
}

impl ObjectsWords {
    pub(super) fn object(&self) -> Result<Object, UsageError> {
        Object::of(&self.object)
    }
}

impl Object {
    fn of(words: &[String]) -> Result<Self, UsageError> {
        let Some((first, names)) = words.split_first() else { return Ok(Self::default()) };
        if first.starts_with(IDENTITY) {
            return match names.first() {
                None => Ok(Self { kind: None, name: Some(first.clone()) }),
                Some(name) => Err(UsageError::Beside { name: name.clone(), first: first.clone() }),
            };
        }
        match (kind_and_name(first), names) {
            ((kind, None), []) => Ok(Self { kind: Some(kind), name: None }),
            ((kind, Some(name)), []) => Ok(Self { kind: Some(kind), name: Some(name) }),
            ((kind, None), names) => match names.iter().find(|name| name.contains('/')) {
                Some(name) => Err(UsageError::TwoKinds { first: first.clone(), second: name.clone() }),
                None => Ok(Self { kind: Some(kind), name: Some(names.join(",")) }),
            },
            ((_, Some(_)), [name, ..]) => {
                Err(UsageError::Beside { name: name.clone(), first: first.clone() })
            }
        }
    }
}

/// A version behind a slash belongs to the kind: `certificates.cert-manager.io/v1`.
fn kind_and_name(word: &str) -> (String, Option<String>) {
    match word.split_once('/') {
        Some((kind, name)) if !(kind.contains('.') && is_version(name)) => {
            (kind.to_owned(), Some(name.to_owned()))
        }
        _ => (word.to_owned(), None),
    }
}

/// `v1`, `v2beta1`: <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/>.
fn is_version(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(rest) = text.strip_prefix('v') else { return false };
    let parts = rest.split_once("alpha").or_else(|| rest.split_once("beta"));
    parts.map_or_else(|| digits(rest), |(major, minor)| digits(major) && digits(minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_named_as_in_kubectl() {
        for (words, kind, name) in [
            (vec![], None, None),
            (vec!["deploy"], Some("deploy"), None),
            (vec!["deploy/cart"], Some("deploy"), Some("cart")),
            (vec!["deploy", "cart"], Some("deploy"), Some("cart")),
            (vec!["deploy", "cart", "web"], Some("deploy"), Some("cart,web")),
            (vec!["deployments.apps/cart"], Some("deployments.apps"), Some("cart")),
            (vec!["certificates.cert-manager.io/v1"], Some("certificates.cert-manager.io/v1"), None),
            (
                vec!["certificates.cert-manager.io/v1", "x"],
                Some("certificates.cert-manager.io/v1"),
                Some("x"),
            ),
            (vec!["hpa.autoscaling/v2beta2"], Some("hpa.autoscaling/v2beta2"), None),
            (vec!["certificates.cert-manager.io/vault"], Some("certificates.cert-manager.io"), Some("vault")),
            (vec!["node/v1"], Some("node"), Some("v1")),
            (vec!["k8s://eu/shop/core/pods/a"], None, Some("k8s://eu/shop/core/pods/a")),
        ] {
            let given: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let wanted = Object { kind: kind.map(str::to_owned), name: name.map(str::to_owned) };
            assert_eq!(Object::of(&given).unwrap(), wanted, "{words:?}");
        }
        for (words, told) in [
            (vec!["deploy/cart", "web"], "\"web\""),
            (vec!["pod", "deploy/cart"], "\"deploy/cart\""),
            (vec!["k8s://eu/shop/core/pods/a", "b"], "\"b\""),
        ] {
            let given: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert!(Object::of(&given).unwrap_err().to_string().contains(told), "{words:?}");
        }
    }
}
