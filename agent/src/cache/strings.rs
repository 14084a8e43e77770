//! Strings that repeat, each stored once and freed with its last user.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// A string of one [`Strings`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Symbol(u32);

impl Symbol {
    pub(super) fn id(self) -> u32 {
        self.0
    }

    pub(super) fn from_id(id: u32) -> Self {
        Self(id)
    }
}

/// Interned strings with counted references.
#[derive(Default)]
pub(super) struct Strings {
    entries: Vec<Entry>,
    free: Vec<u32>,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
    text_bytes: usize,
}

/// A text that rows share, as a reader sees it: its number is at hand, the text itself is elsewhere.
#[derive(Clone, Copy)]
pub(crate) struct TextRef<'a> {
    strings: &'a Strings,
    symbol: Symbol,
}

impl<'a> TextRef<'a> {
    /// Equal texts of one store have the same, below [`KindStore::text_bound`](super::KindStore::text_bound).
    pub(crate) fn number(self) -> usize {
        self.symbol.0 as usize
    }

    pub(crate) fn read(self) -> &'a str {
        self.strings.get(self.symbol)
    }
}

struct Entry {
    text: Box<str>,
    references: u32,
}

/// What an allocation costs beside its bytes, about: a header, and rounding up to 16.
pub(super) const ALLOCATION: usize = 16;

/// What an entry costs in the index, about: ids of four bytes, which are moved into a table of twice the size when it is full.
pub(super) const PLACES: usize = 8;

impl Strings {
    /// The symbol of a text, with one more reference to it.
    pub(super) fn take(&mut self, text: &str) -> Symbol {
        let hash = self.hasher.hash_one(text);
        if let Some(id) = self.index.find(hash, |id| &*self.entries[*id as usize].text == text) {
            self.entries[*id as usize].references += 1;
            return Symbol(*id);
        }
        let id = self.insert(text);
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.index.insert_unique(hash, id, |id| hasher.hash_one(&*entries[*id as usize].text));
        Symbol(id)
    }

    /// One reference less; the last one frees the string.
    pub(super) fn release(&mut self, symbol: Symbol) {
        let entry = &mut self.entries[symbol.0 as usize];
        entry.references -= 1;
        if entry.references > 0 {
            return;
        }
        let text = std::mem::take(&mut entry.text);
        self.text_bytes -= text.len();
        let hash = self.hasher.hash_one(&*text);
        if let Ok(occupied) = self.index.find_entry(hash, |id| *id == symbol.0) {
            occupied.remove();
        }
        self.free.push(symbol.0);
    }

    pub(super) fn get(&self, symbol: Symbol) -> &str {
        &self.entries[symbol.0 as usize].text
    }

    pub(super) fn text(&self, symbol: Symbol) -> TextRef<'_> {
        TextRef { strings: self, symbol }
    }

    /// An upper bound of the ids in use.
    pub(super) fn id_bound(&self) -> usize {
        self.entries.len()
    }

    /// Strings in use.
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.text_bytes
            + self.len() * ALLOCATION
            + self.entries.capacity() * size_of::<Entry>()
            + self.free.capacity() * size_of::<u32>()
            + self.index.allocation_size()
    }

    /// What the strings in use cost, without spare capacity.
    pub(super) fn live_bytes(&self) -> usize {
        self.text_bytes + self.len() * (ALLOCATION + size_of::<Entry>() + PLACES)
    }

    /// Gives spare capacity back.
    pub(super) fn shrink(&mut self) {
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.index.shrink_to_fit(|id| hasher.hash_one(&*entries[*id as usize].text));
        self.entries.shrink_to_fit();
        self.free.shrink_to_fit();
    }

    fn insert(&mut self, text: &str) -> u32 {
        self.text_bytes += text.len();
        let entry = Entry { text: text.into(), references: 1 };
        if let Some(id) = self.free.pop() {
            self.entries[id as usize] = entry;
            return id;
        }
        self.entries.push(entry);
        (self.entries.len() - 1) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_share_one_string() {
        let mut strings = Strings::default();
        let (a, b) = (strings.take("cart"), strings.take("cart"));
        assert_eq!(a, b);
        assert_eq!((strings.get(a), strings.len()), ("cart", 1));
        strings.release(a);
        assert_eq!(strings.get(b), "cart");
        strings.release(b);
        assert_eq!((strings.len(), strings.text_bytes), (0, 0));
    }

    #[test]
    fn dead_strings_leave_no_growth_behind() {
        let mut strings = Strings::default();
        let lasting = strings.take("lasting");
        let mut settled = 0;
        for generation in 0..10_000 {
            let passing = strings.take(&format!("pod-template-hash-{generation}"));
            strings.release(passing);
            if generation == 100 {
                settled = strings.bytes();
            }
        }
        assert_eq!(strings.bytes(), settled);
        assert_eq!(strings.get(lasting), "lasting");
    }
}
