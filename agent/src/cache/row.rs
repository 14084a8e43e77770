//! Reading one row.

use std::borrow::Cow;

use super::cell::CellRef;
use super::codec;
use super::rows::{Body, Row, Uid, Version};
use super::store::KindStore;
use super::strings::TextRef;

/// A row of a store, as a reader sees it.
#[derive(Clone, Copy)]
pub struct RowRef<'a> {
    store: &'a KindStore,
    row: &'a Row,
    id: u32,
}

/// Who wrote an object last, from its managedFields; those who write its status aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manager<'a> {
    pub manager: &'a str,
    /// `Apply` or `Update`.
    pub operation: &'a str,
    pub api_version: &'a str,
    pub time_ms: i64,
}

impl<'a> RowRef<'a> {
    pub(super) fn new(store: &'a KindStore, id: u32) -> Self {
        Self { store, row: store.rows.get(id), id }
    }

    /// `None` for a cluster-scoped object.
    pub fn namespace(&self) -> Option<&'a str> {
        let namespace = self.store.strings.get(self.row.namespace);
        (!namespace.is_empty()).then_some(namespace)
    }

    pub fn name(&self) -> &'a str {
        // The bytes were a string when they were stored.
        std::str::from_utf8(self.name_bytes()).unwrap_or_default()
    }

    pub(crate) fn name_bytes(&self) -> &'a [u8] {
        &self.record()[..usize::from(self.row.name_length)]
    }

    /// Empty where the object has none.
    pub fn uid(&self) -> Cow<'a, str> {
        match self.row.uid {
            Uid::Absent => Cow::Borrowed(""),
            Uid::Text(symbol) => Cow::Borrowed(self.store.strings.get(symbol)),
            Uid::Binary(bytes) => Cow::Owned(uid_text(&bytes)),
        }
    }

    pub fn created_ms(&self) -> Option<i64> {
        (self.row.created_ms != i64::MIN).then_some(self.row.created_ms)
    }

    /// Empty where the object has none.
    pub fn resource_version(&self) -> Cow<'a, str> {
        match self.row.version {
            Version::Number(number) => Cow::Owned(number.to_string()),
            Version::Text(symbol) => Cow::Borrowed(self.store.strings.get(symbol)),
        }
    }

    pub fn label(&self, key: &str) -> Option<&'a str> {
        self.labels().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    pub fn labels(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.label_texts().map(|(key, value)| (key.read(), value.read()))
    }

    pub(crate) fn label_texts(&self) -> impl Iterator<Item = (TextRef<'a>, TextRef<'a>)> + use<'a> {
        let strings = &self.store.strings;
        let labels = self.store.labels.get(self.row.labels).iter();
        labels.map(|(key, value)| (strings.text(*key), strings.text(*value)))
    }

    /// The same number for rows with the same labels, below [`KindStore::label_set_bound`].
    pub(crate) fn label_set(&self) -> usize {
        self.row.labels.id() as usize
    }

    /// The text of a cell that holds one other than the row's name.
    pub(crate) fn text(&self, index: usize) -> Option<TextRef<'a>> {
        let symbol = self.store.rows.cells(self.id).get(index)?.text()?;
        Some(self.store.strings.text(symbol))
    }

    /// The texts of all such cells.
    pub(crate) fn texts(&self) -> impl Iterator<Item = TextRef<'a>> + use<'a> {
        let strings = &self.store.strings;
        let cells = self.store.rows.cells(self.id).iter();
        cells.filter_map(|cell| cell.text()).map(|symbol| strings.text(symbol))
    }

    /// Narrow columns first, then the indexed paths of the kind's shape, then its images; null behind them.
    pub fn cell(&self, index: usize) -> CellRef<'a> {
        match self.store.rows.cells(self.id).get(index) {
            Some(cell) => cell.read(self.name(), &self.store.strings),
            None => CellRef::Null,
        }
    }

    /// Who wrote the object last.
    pub fn last_manager(&self) -> Option<Manager<'a>> {
        let mut parts = self.store.strings.get(self.row.writer?).split('\0');
        let mut part = || parts.next().unwrap_or_default();
        Some(Manager {
            manager: part(),
            operation: part(),
            api_version: part(),
            time_ms: self.row.written_ms,
        })
    }

    /// The whole object's JSON into `into`, replacing what it held. False where only the row was kept, because the object
    /// is too large.
    pub fn object(&self, into: &mut Vec<u8>) -> bool {
        match self.row.body {
            Body::TooLarge => false,
            Body::Compressed(generation) => {
                codec::decompress(self.body(), self.store.codec.dictionary(generation).map(|d| &**d), into)
            }
        }
    }

    /// The length of the JSON of an object of which only the row was kept.
    pub fn too_large(&self) -> Option<u64> {
        let bytes = (self.row.body == Body::TooLarge).then(|| self.body().try_into().ok())??;
        Some(u64::from_le_bytes(bytes))
    }

    pub(super) fn body(&self) -> &'a [u8] {
        &self.record()[usize::from(self.row.name_length)..]
    }

    fn record(&self) -> &'a [u8] {
        self.store.records.get(self.row.record)
    }
}

fn uid_text(bytes: &[u8; 16]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
    text
}

/// The sixteen bytes of a UID in its usual spelling; `None` for any other.
pub(super) fn uid_bytes(text: &str) -> Option<[u8; 16]> {
    let hyphen = |at: usize| matches!(at, 8 | 13 | 18 | 23);
    let usual =
        |(at, b): (usize, u8)| if hyphen(at) { b == b'-' } else { matches!(b, b'0'..=b'9' | b'a'..=b'f') };
    if text.len() != 36 || !text.bytes().enumerate().all(usual) {
        return None;
    }
    let digit = |b: u8| if b.is_ascii_digit() { b - b'0' } else { b - b'a' + 10 };
    let mut digits = text.bytes().filter(|b| *b != b'-').map(digit);
    let mut bytes = [0; 16];
    for byte in &mut bytes {
        *byte = digits.next()? << 4 | digits.next()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_usual_uids_are_packed() {
        let usual = "0f3c2a10-9b7e-4d55-8e1a-c0ffee00d00d";
        assert_eq!(uid_text(&uid_bytes(usual).unwrap()), usual);
        for unusual in
            ["", "abc", "0F3C2A10-9B7E-4D55-8E1A-C0FFEE00D00D", "0f3c2a10x9b7e-4d55-8e1a-c0ffee00d00d"]
        {
            assert_eq!(uid_bytes(unusual), None, "{unusual}");
        }
    }
}
