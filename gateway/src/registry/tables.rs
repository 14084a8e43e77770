//! One copy of equal discoveries: a fleet's clusters mostly run the same versions and serve the same kinds.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Weak};

use kubeplex_proto::kind::KindTable;
use parking_lot::Mutex;

/// The tables in use, by a hash of their content. Those that nobody uses any more are forgotten as others come.
#[derive(Debug, Default)]
pub(super) struct SharedTables(Mutex<HashMap<u64, Vec<Weak<KindTable>>>>);

impl SharedTables {
    /// The shared copy of `table`.
    pub(super) fn share(&self, table: KindTable) -> Arc<KindTable> {
        let mut tables = self.0.lock();
        tables.retain(|_, alike| {
            alike.retain(|known| known.strong_count() > 0);
            !alike.is_empty()
        });
        let alike = tables.entry(hash(&table)).or_default();
        if let Some(known) = alike.iter().filter_map(Weak::upgrade).find(|known| **known == table) {
            return known;
        }
        let table = Arc::new(table);
        alike.push(Arc::downgrade(&table));
        table
    }
}

fn hash(table: &KindTable) -> u64 {
    let mut hasher = DefaultHasher::new();
    table.kinds.hash(&mut hasher);
    table.failed_groups.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(failed: &str) -> KindTable {
        KindTable { kinds: Vec::new(), failed_groups: vec![(failed.to_owned(), "no answer".to_owned())] }
    }

    #[test]
    fn equal_tables_are_one_and_unused_ones_are_forgotten() {
        let tables = SharedTables::default();
        let first = tables.share(table("a"));
        assert!(Arc::ptr_eq(&first, &tables.share(table("a"))));
        let other = tables.share(table("b"));
        assert!(!Arc::ptr_eq(&first, &other));
        drop(first);
        drop(tables.share(table("c")));
        let _ = tables.share(table("b"));
        assert_eq!(tables.0.lock().len(), 1, "only b is in use");
    }
}
