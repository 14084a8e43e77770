//! The JSON text of one object, kept small by sharing.
//!
//! Pods of one workload differ in a few dozen short places (name, uid, address, times). So a body is either the whole text, or a base text
//! shared with its siblings and the places where this one differs. Reading is a run of `memcpy`, never a parse.
//!
//! The text lacks the leading `{"kind":…,"apiVersion":…,`, because lists of built-in kinds leave it out of their items and versions of one
//! kind differ in nothing else.

use bytes::Bytes;

/// Texts whose differences take more than this share of them are kept whole.
const WORTHWHILE_PERCENT: usize = 60;

#[derive(Clone, Debug)]
pub(crate) enum Body {
    Whole(Bytes),
    Delta { base: Bytes, edits: Box<[u8]>, length: u32 },
}

impl Body {
    /// Keeps `text` as its differences from `base` where that saves enough, else whole.
    pub(crate) fn encode(text: String, base: Option<&Bytes>) -> Self {
        if let Some(base) = base {
            let edits = difference(base, text.as_bytes());
            if edits.len() * 100 <= text.len() * WORTHWHILE_PERCENT {
                return Self::Delta { base: base.clone(), edits: edits.into(), length: text.len() as u32 };
            }
        }
        Self::Whole(Bytes::from(text))
    }

    /// The text that siblings and later versions of this object can be encoded against.
    pub(crate) fn base(&self) -> &Bytes {
        match self {
            Self::Whole(text) => text,
            Self::Delta { base, .. } => base,
        }
    }

    /// Length of the text in bytes.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Whole(text) => text.len(),
            Self::Delta { length, .. } => *length as usize,
        }
    }

    /// Bytes that this body alone occupies; a shared base is not counted.
    pub(crate) fn own_bytes(&self) -> usize {
        match self {
            Self::Whole(text) => text.len(),
            Self::Delta { edits, .. } => edits.len(),
        }
    }

    /// Appends the text.
    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::Whole(text) => out.extend_from_slice(text),
            Self::Delta { base, edits, .. } => apply(base, edits, out),
        }
    }
}

/// Edits as `keep, skip, insert` lengths in variable-length integers, each followed by the inserted bytes; the rest of the base is kept.
fn difference(base: &[u8], text: &[u8]) -> Vec<u8> {
    let mut edits = Vec::new();
    let mut kept = 0;
    if !same_shape(base, text) {
        let (prefix, suffix) = common_ends(base, text);
        let middle = &text[prefix..text.len() - suffix];
        push_edit(&mut edits, prefix, base.len() - prefix - suffix, middle);
        return edits;
    }
    for (index, (old, new)) in parts(base).zip(parts(text)).enumerate() {
        if old == new {
            kept += old.len() + usize::from(index > 0);
            continue;
        }
        // The quote before this part is the same in both.
        push_edit(&mut edits, kept + usize::from(index > 0), old.len(), new);
        kept = 0;
    }
    edits
}

/// JSON strings and what is between them, without the quotes. An escaped quote cuts a string in two, which costs size, never truth.
fn parts(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'"')
}

fn same_shape(base: &[u8], text: &[u8]) -> bool {
    let quotes = |text: &[u8]| text.iter().filter(|byte| **byte == b'"').count();
    quotes(base) == quotes(text)
}

fn common_ends(base: &[u8], text: &[u8]) -> (usize, usize) {
    let shorter = base.len().min(text.len());
    let prefix = base.iter().zip(text).take_while(|(old, new)| old == new).count();
    let ends = base.iter().rev().zip(text.iter().rev());
    let suffix = ends.take(shorter - prefix).take_while(|(old, new)| old == new).count();
    (prefix, suffix)
}

fn push_edit(edits: &mut Vec<u8>, keep: usize, skip: usize, insert: &[u8]) {
    for number in [keep, skip, insert.len()] {
        push_varint(edits, number);
    }
    edits.extend_from_slice(insert);
}

fn push_varint(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn read_varint(edits: &[u8], at: &mut usize) -> usize {
    let (mut number, mut shift) = (0, 0);
    loop {
        let byte = edits[*at];
        *at += 1;
        number |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return number;
        }
        shift += 7;
    }
}

fn apply(base: &[u8], edits: &[u8], out: &mut Vec<u8>) {
    let (mut at, mut position) = (0, 0);
    while at < edits.len() {
        let keep = read_varint(edits, &mut at);
        let skip = read_varint(edits, &mut at);
        let insert = read_varint(edits, &mut at);
        out.extend_from_slice(&base[position..position + keep]);
        out.extend_from_slice(&edits[at..at + insert]);
        position += keep + skip;
        at += insert;
    }
    out.extend_from_slice(&base[position..]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text_of(body: &Body) -> String {
        let mut out = Vec::new();
        body.write_to(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn siblings_cost_little() {
        let pod = |name: &str| format!(r#""metadata":{{"name":"{name}","pad":"{}"}}}}"#, "x".repeat(4000));
        let first = Body::encode(pod("cart-1"), None);
        let second = Body::encode(pod("cart-2"), Some(first.base()));
        assert!(second.own_bytes() < 20, "{} bytes for one differing word", second.own_bytes());
        assert_eq!(text_of(&second), pod("cart-2"));
    }

    #[test]
    fn strangers_are_kept_whole() {
        let base = Bytes::from_static(b"\"a\":1}");
        assert!(matches!(Body::encode("\"completely\":\"different\"}".into(), Some(&base)), Body::Whole(_)));
    }

    proptest! {
        #[test]
        fn any_text_survives_any_base(base in "[\"a-c:,é]{0,60}", text in "[\"a-c:,é]{0,60}") {
            let mut out = Vec::new();
            apply(base.as_bytes(), &difference(base.as_bytes(), text.as_bytes()), &mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), &*text);
            let body = Body::encode(text.clone(), Some(&Bytes::from(base)));
            prop_assert_eq!(body.len(), text.len());
            prop_assert_eq!(text_of(&body), text);
        }
    }
}
