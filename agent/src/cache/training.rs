//! When a store's dictionary is due.

/// A kind with fewer objects goes without a dictionary.
const TRAIN_FROM: usize = 1_000;

/// When a dictionary is due.
#[derive(Default)]
pub(super) struct Training {
    /// Objects there were when the last one was trained.
    trained_at: usize,
    /// Whether a list was completed since.
    completed_list: bool,
    /// Row ids from here on may be compressed with an outdated dictionary.
    pub(super) outdated_from: u32,
}

impl Training {
    pub(super) fn list_is_complete(&mut self) {
        self.completed_list = true;
    }

    /// The first thousand objects of a list are of a few namespaces, so a dictionary is trained anew as the store grows,
    /// and when a list that brought more is complete.
    pub(super) fn is_due(&self, objects: usize) -> bool {
        let growth = if self.completed_list { (3, 2) } else { (4, 1) };
        objects >= TRAIN_FROM && objects * growth.1 >= self.trained_at * growth.0
    }

    pub(super) fn done(&mut self, objects: usize) {
        *self = Self { trained_at: objects, completed_list: false, outdated_from: 0 };
    }
}
