//! Questions that nobody should ask, and objects that nobody should make: every one gets a clear answer.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod arguments;
mod cursors;
mod deep;
mod generated;
mod large;
mod raw;
mod requests;
mod text;

use crate::faults::Answer;
use crate::faults::rig::{Rig, Setup, small};

/// The arguments of `pods_list` that are any text.
const TEXTS: [&str; 8] = [
    "cluster",
    "clusterSelector",
    "namespace",
    "labelSelector",
    "fieldSelector",
    "fields",
    "sortBy",
    "continue",
];

/// Two clusters.
async fn fleet() -> Rig {
    Setup::new().sim(small("eu", 1)).sim(small("us", 2)).ready().await
}

/// Longer than anybody reads, and than any model should be made to.
const LONGEST_MESSAGE: usize = 1_500;

/// Whether an error is one that helps: of this code, short, clean, and saying all of `said`.
fn assert_error(answer: &Answer, code: &str, said: &[&str], what: &str) {
    let error = answer.refused();
    assert_eq!(error["code"], code, "{what}: {error}");
    let (message, hint) = (error["message"].as_str().unwrap(), error["hint"].as_str().unwrap_or_default());
    for words in said {
        assert!(message.contains(words) || hint.contains(words), "{what} should say {words:?}: {error}");
    }
    assert!(message.len() + hint.len() < LONGEST_MESSAGE, "{what}: {} bytes of message", message.len());
    assert_clean(message, what);
}

/// Nothing in a text steers a terminal or hides from a reader.
fn assert_clean(text: &str, what: &str) {
    let steers = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    if let Some(wrong) = text.chars().find(|c| steers(*c)) {
        panic!("{what}: U+{:04X} in {text:?}", u32::from(wrong));
    }
}
