//! The bytes inside a cursor. Short, because a model pays for every character: UIDs as sixteen bytes, texts with a
//! one-byte length where that is enough, the missing clusters as one bit each (which cluster a bit means is settled by
//! the hash of the expected set).

use kubeplex_proto::sort::{KeyValue, RowKey};
use uuid::Uuid;

use crate::request::{Fingerprint, LegId, Resume};

/// Changes whenever the layout does, so that a neighbour one version apart refuses a cursor instead of misreading it.
const LAYOUT: u8 = 1;

pub(super) struct Opened {
    pub(super) resume: Resume,
    pub(super) fingerprint: Fingerprint,
    pub(super) expires_ms: i64,
}

pub(super) fn encode(resume: &Resume, fingerprint: &Fingerprint, expires_ms: i64) -> Vec<u8> {
    let mut bytes = vec![LAYOUT];
    bytes.extend(expires_ms.to_be_bytes());
    for hash in [fingerprint.caller, fingerprint.question, fingerprint.expected] {
        bytes.extend(hash);
    }
    put_number(&mut bytes, resume.after.values.len());
    for value in &resume.after.values {
        put_text(&mut bytes, &String::from(value.clone()));
    }
    put_text(&mut bytes, &resume.after.namespace);
    put_text(&mut bytes, &resume.after.name);
    put_uid(&mut bytes, &resume.after.uid);
    put_bits(&mut bytes, &resume.missing);
    bytes
}

/// `None` for anything that [`encode`] did not make.
pub(super) fn decode(bytes: &[u8]) -> Option<Opened> {
    let mut reader = Reader { rest: bytes };
    if reader.take(1)? != [LAYOUT] {
        return None;
    }
    let expires_ms = i64::from_be_bytes(reader.array()?);
    let fingerprint =
        Fingerprint { caller: reader.array()?, question: reader.array()?, expected: reader.array()? };
    let values = reader.list(|reader| KeyValue::try_from(reader.text()?).ok())?;
    let (namespace, name, uid) = (reader.text()?, reader.text()?, reader.uid()?);
    let missing = reader.bits()?;
    let after = RowKey { values, namespace, name, uid };
    reader.rest.is_empty().then_some(Opened { resume: Resume { after, missing }, fingerprint, expires_ms })
}

/// Seven bits a byte, the lowest first; the high bit says that more follow.
fn put_number(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_number(bytes, text.len());
    bytes.extend(text.as_bytes());
}

/// A byte for every eight places, up to the last that is set.
fn put_bits(bytes: &mut Vec<u8>, places: &[LegId]) {
    let mut bits = vec![0_u8; places.iter().map(|place| place.0 / 8 + 1).max().unwrap_or_default()];
    for place in places {
        bits[place.0 / 8] |= 1 << (place.0 % 8);
    }
    put_number(bytes, bits.len());
    bytes.extend(bits);
}

/// A UID in the usual spelling takes sixteen bytes behind a 1; any other text stands behind a 0.
fn put_uid(bytes: &mut Vec<u8>, uid: &str) {
    match Uuid::try_parse(uid).ok().filter(|parsed| parsed.hyphenated().to_string() == uid) {
        Some(parsed) => {
            bytes.push(1);
            bytes.extend(parsed.as_bytes());
        }
        None => {
            bytes.push(0);
            put_text(bytes, uid);
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn number(&mut self) -> Option<usize> {
        let mut number = 0;
        for shift in [0, 7, 14, 21] {
            let byte = *self.take(1)?.first()?;
            number |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn text(&mut self) -> Option<String> {
        let length = self.number()?;
        String::from_utf8(self.take(length)?.to_vec()).ok()
    }

    fn uid(&mut self) -> Option<String> {
        match self.take(1)? {
            [1] => Some(Uuid::from_bytes(self.array()?).hyphenated().to_string()),
            _ => self.text(),
        }
    }

    fn bits(&mut self) -> Option<Vec<LegId>> {
        let length = self.number()?;
        let bits = self.take(length)?;
        let is_set = |place: &usize| bits[place / 8] & 1 << (place % 8) != 0;
        Some((0..8 * bits.len()).filter(is_set).map(LegId).collect())
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = self.number()?;
        (0..length).map(|_| item(self)).collect()
    }
}
