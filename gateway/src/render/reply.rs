//! A reply on its way out: rendered for its call, or written for an earlier one.

use std::io::Write as _;
use std::sync::Arc;

use serde_json::Value;

use super::Rendered;
use super::again::Lasting;

/// Digits of an age.
const LONGEST_AGE: usize = u64::MAX.ilog10() as usize + 1;

/// What a call is answered with.
#[derive(Debug)]
pub enum Reply {
    Rendered(Rendered),
    /// What was rendered for an earlier call and still is what would be.
    Written(Written),
}

/// A page as JSON, with the age that its data has now. It is copied only when it is sent.
#[derive(Debug)]
pub struct Written {
    page: Arc<Lasting>,
    age_ms: u64,
}

/// JSON that says an age in one place, without that age.
#[derive(Debug)]
pub(super) struct AgedJson {
    before: Box<str>,
    after: Box<str>,
}

impl Reply {
    /// As it would have been rendered for this call.
    pub fn into_rendered(self) -> Rendered {
        match self {
            Self::Rendered(rendered) => rendered,
            Self::Written(written) => written.rendered(),
        }
    }
}

impl Written {
    pub(crate) fn new(page: Arc<Lasting>, age_ms: u64) -> Self {
        Self { page, age_ms }
    }

    /// Adds what is for `structuredContent`: an object.
    pub(crate) fn write_structured(&self, out: &mut Vec<u8>) {
        self.page.structured().write(self.age_ms, out);
    }

    /// Adds what is for `content[0].text`: a string.
    pub(crate) fn write_text(&self, out: &mut Vec<u8>) {
        self.page.text().write(self.age_ms, out);
    }

    /// Bytes of both together, at most.
    pub(crate) fn len(&self) -> usize {
        self.page.structured().len() + self.page.text().len()
    }

    fn rendered(&self) -> Rendered {
        let (mut structured, mut text) = (Vec::with_capacity(self.len()), Vec::with_capacity(self.len()));
        self.write_structured(&mut structured);
        self.write_text(&mut text);
        // Both were written by this library.
        let structured: Value = serde_json::from_slice(&structured).unwrap_or_default();
        Rendered { structured, text: serde_json::from_slice(&text).unwrap_or_default() }
    }
}

impl AgedJson {
    /// `None` where `json` does not say the age at that place.
    pub(super) fn of(json: &str, at: usize, age_ms: u64) -> Option<Self> {
        let (before, rest) = json.split_at_checked(at)?;
        let after = rest.strip_prefix(&age_ms.to_string())?;
        let ends = !after.starts_with(|next: char| next.is_ascii_digit());
        ends.then(|| Self { before: before.into(), after: after.into() })
    }

    /// The same of a text, as a JSON string.
    pub(super) fn of_text(text: &str, at: usize, age_ms: u64) -> Option<Self> {
        let before = serde_json::to_string(text.get(..at)?).ok()?;
        let json = serde_json::to_string(text).ok()?;
        Self::of(&json, before.len() - "\"".len(), age_ms)
    }

    fn write(&self, age_ms: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(self.before.as_bytes());
        // A vector takes everything.
        let _ = write!(out, "{age_ms}");
        out.extend_from_slice(self.after.as_bytes());
    }

    /// With the longest age that there is.
    pub(super) fn len(&self) -> usize {
        self.before.len() + LONGEST_AGE + self.after.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_written_anew_where_it_stood() {
        let aged = AgedJson::of(r#"{"ageMs":17,"total":17}"#, 9, 17).unwrap();
        for (age_ms, json) in [(17, r#"{"ageMs":17,"total":17}"#), (9_000, r#"{"ageMs":9000,"total":17}"#)] {
            let mut out = Vec::new();
            aged.write(age_ms, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), json);
            assert!(aged.len() >= json.len());
        }
        let mut out = b"text: ".to_vec();
        AgedJson::of_text("\"é\"\t7 ms", "\"é\"\t".len(), 7).unwrap().write(12, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), r#"text: "\"é\"\t12 ms""#);
    }

    #[test]
    fn another_age_or_another_place_is_none() {
        for (at, age_ms) in [(9, 1), (9, 18), (8, 17), (99, 17)] {
            assert!(AgedJson::of(r#"{"ageMs":17}"#, at, age_ms).is_none(), "{at} {age_ms}");
        }
    }
}
