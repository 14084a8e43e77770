//! What counts when objects are compared, by rules that both ends must apply alike: agents tell a digest of each object, and
//! only those that differ travel.
//!
//! [`intent`] is what somebody wanted of an object, in a normal form: without what a cluster assigns or counts, without what
//! the API server would have filled in, and with the elements of lists by what they are called.

mod defaults;
mod lists;
mod noise;
mod path;
mod pods;
mod quantities;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

pub use lists::{is_keyed, listed};
pub use noise::{drop_managed_fields, keep_common, without_noise};
pub use path::{Ignore, InvalidIgnore};

/// What somebody wanted of an object, in a form in which two that mean the same are equal. The elements of lists that have
/// names are an object by these names, each in brackets ([`listed`] makes a list of it again).
///
/// What an object is called is not in it, nor in which version it was read: objects are compared that are called alike.
pub fn intent(object: &Value, ignored: &[Ignore]) -> Value {
    let mut intent = without_noise(object);
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    noise::keep_intent(&kind, &mut intent);
    defaults::leave_out(&kind, &mut intent);
    quantities::alike(&kind, &mut intent);
    lists::by_key(&mut intent);
    for path in ignored {
        path.remove(&mut intent);
    }
    intent.sort_all_objects();
    intent
}

/// Of an [`intent`]: equal for equal ones, in hexadecimal.
pub fn digest(intent: &Value) -> String {
    let digest = Sha256::digest(intent.to_string());
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Whether somebody made the object for its own sake: not one that a controller keeps for another, nor one that every
/// namespace is given.
pub fn is_intended(object: &Value) -> bool {
    let owners = object["metadata"]["ownerReferences"].as_array();
    let is_kept = owners.is_some_and(|owners| owners.iter().any(|owner| owner["controller"] == true));
    let is_given = matches!(
        (object["kind"].as_str(), object["metadata"]["name"].as_str()),
        (Some("ConfigMap"), Some("kube-root-ca.crt")) | (Some("ServiceAccount"), Some("default"))
    );
    !is_kept && !is_given
}

#[cfg(test)]
mod tests;
