//! What each of many clusters says in one word: some by name, and how many more say what.

use std::collections::BTreeMap;

use kubeplex_proto::json_len::json_len;
use serde::{Serialize, Serializer};

/// A word by cluster. Rare words come first: they are what a reader looks for, and the last ones are left out first.
#[derive(Debug, Clone, Default)]
pub(super) struct Named(Vec<(String, String)>);

/// Clusters that are not named, by their word.
pub(super) type More = BTreeMap<String, usize>;

impl Named {
    /// At most so many by name; the others are counted.
    pub(super) fn new(words: Vec<(String, String)>, most: usize) -> (Self, More) {
        let mut common = BTreeMap::new();
        for (_, word) in &words {
            *common.entry(word.clone()).or_insert(0_usize) += 1;
        }
        let mut named = Self(words);
        named.0.sort_by_cached_key(|(cluster, word)| (common[word], word.clone(), cluster.clone()));
        let mut more = More::new();
        while named.0.len() > most {
            named.drop_last(&mut more);
        }
        (named, more)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names fewer until they fit into so many bytes.
    pub(super) fn fit(&mut self, bytes: usize, more: &mut More) {
        while !self.is_empty() && json_len(self) > bytes {
            self.drop_last(more);
        }
    }

    fn drop_last(&mut self, more: &mut More) {
        if let Some((_, word)) = self.0.pop() {
            *more.entry(word).or_insert(0) += 1;
        }
    }
}

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(cluster, word)| (cluster, word)))
    }
}
