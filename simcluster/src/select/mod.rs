//! Selectors of lists and watches: by labels and by fields.

mod field;
mod label;

use serde_json::Value;

pub(crate) use field::FieldSelector;
pub(crate) use label::LabelSelector;

/// Which objects a list or a watch is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    pub(crate) namespace: String,
    pub(crate) labels: LabelSelector,
    pub(crate) fields: FieldSelector,
}

impl Selection {
    /// Whether objects must be read to be selected (a namespace is in the key).
    pub(crate) fn needs_content(&self) -> bool {
        !self.labels.is_empty() || !self.fields.is_empty()
    }

    /// Whether labels and fields select this object.
    pub(crate) fn matches(&self, object: &Value) -> bool {
        self.labels.matches(object) && self.fields.matches(object)
    }
}
