//! Questions that were understood a moment ago: what a caller asks again in the same words, of the same snapshot of the fleet,
//! is the same request.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use parking_lot::RwLock;
use serde_json::{Map, Value};

use crate::fleet::Fleet;
use crate::identify::Caller;
use crate::limits::{UNDERSTOOD_BYTES, UNDERSTOOD_QUESTIONS};
use crate::request::Request;
use crate::results::seen::Seen;
use crate::tools::Tool;

/// Those of the latest snapshot. One for all calls of a gateway.
#[derive(Default)]
pub(super) struct Questions {
    hasher: RandomState,
    recent: RwLock<Recent>,
}

#[derive(Default)]
struct Recent {
    /// What all of them were asked of.
    fleet: Fleet,
    by_hash: HashMap<u64, Question>,
}

struct Question {
    caller: Caller,
    tool: &'static str,
    arguments: Map<String, Value>,
    asked: Asked,
}

/// A request, and where its page was seen.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) request: Arc<Request>,
    pub(super) seen: Seen,
}

/// What somebody asks, before it is understood.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    pub(super) caller: &'a Caller,
    pub(super) tool: &'static Tool,
    pub(super) arguments: &'a Map<String, Value>,
}

impl Asked {
    pub(super) fn new(request: Request) -> Self {
        Self { request: Arc::new(request), seen: Seen::default() }
    }
}

impl Questions {
    /// What these words meant, when they were asked of the same fleet.
    pub(super) fn find(&self, words: Words<'_>, fleet: &Fleet) -> Option<Asked> {
        let recent = self.recent.read();
        let question = recent.fleet.is(fleet).then(|| recent.by_hash.get(&self.hash(words)))??;
        question.is(words).then(|| question.asked.clone())
    }

    /// Remembers what these words mean, at any time of day.
    pub(super) fn remember(&self, words: Words<'_>, fleet: &Fleet, asked: &Asked) {
        if !is_short(words.arguments) {
            return;
        }
        let hash = self.hash(words);
        let Words { caller, tool, arguments } = words;
        let question = Question {
            caller: caller.clone(),
            tool: tool.name,
            arguments: arguments.clone(),
            asked: asked.clone(),
        };
        let mut recent = self.recent.write();
        if !recent.fleet.is(fleet) || recent.by_hash.len() >= UNDERSTOOD_QUESTIONS {
            *recent = Recent { fleet: fleet.clone(), by_hash: HashMap::new() };
        }
        recent.by_hash.insert(hash, question);
    }

    fn hash(&self, words: Words<'_>) -> u64 {
        let Words { caller, tool, arguments } = words;
        self.hasher.hash_one((caller.user(), tool.name, arguments))
    }
}

impl Question {
    fn is(&self, words: Words<'_>) -> bool {
        let Words { caller, tool, arguments } = words;
        self.caller.is(caller) && self.tool == tool.name && self.arguments == *arguments
    }
}

/// Texts only, and few: all that tools want. What else was understood was so by mending it.
fn is_short(arguments: &Map<String, Value>) -> bool {
    let bytes = arguments.iter().map(|(name, value)| match value {
        Value::String(text) => name.len() + text.len(),
        Value::Number(_) | Value::Bool(_) | Value::Null => name.len(),
        Value::Array(_) | Value::Object(_) => UNDERSTOOD_BYTES,
    });
    bytes.sum::<usize>() < UNDERSTOOD_BYTES
}

#[cfg(test)]
mod tests {
    use kubeplex_proto::visibility::Visibility;
    use serde_json::json;

    use super::*;
    use crate::identify::{somebody, somebody_called};
    use crate::request::fixtures::{cluster, fleet, resolved};
    use crate::tools;

    fn tool(name: &str) -> &'static Tool {
        tools::catalogue().get(name).unwrap()
    }

    fn asked(fleet: &Fleet, words: Words<'_>) -> Asked {
        let arguments = Value::Object(words.arguments.clone());
        Asked::new(resolved(fleet, words.tool.name, &arguments).unwrap())
    }

    fn map(value: &Value) -> &Map<String, Value> {
        value.as_object().unwrap()
    }

    #[test]
    fn the_same_words_of_the_same_caller_to_the_same_fleet_are_the_same_request() {
        let (questions, one) = (Questions::default(), fleet(vec![cluster("eu", &[])]));
        let anna = somebody(Visibility::everything());
        let arguments = json!({"namespace": "shop", "limit": 10});
        let words = Words { caller: &anna, tool: tool("pods_list"), arguments: map(&arguments) };
        assert!(questions.find(words, &one).is_none());
        let understood = asked(&one, words);
        questions.remember(words, &one, &understood);
        let again = questions.find(Words { caller: &anna.clone(), ..words }, &one).unwrap();
        assert!(Arc::ptr_eq(&again.request, &understood.request));

        // As a reload of the configuration makes them: the same name, and perhaps something else to see.
        let (anew, ben) =
            (somebody(Visibility::everything()), somebody_called("ben", Visibility::everything()));
        let others = [json!({"namespace": "shop"}), json!({"namespace": "pay", "limit": 10})];
        for other in [
            Words { caller: &anew, ..words },
            Words { caller: &ben, ..words },
            Words { tool: tool("events_list"), ..words },
            Words { arguments: map(&others[0]), ..words },
            Words { arguments: map(&others[1]), ..words },
        ] {
            assert!(questions.find(other, &one).is_none());
        }
        assert!(questions.find(words, &fleet(vec![cluster("eu", &[])])).is_none(), "another snapshot");
    }

    #[test]
    fn what_is_remembered_is_of_one_snapshot_short_and_bounded() {
        let (questions, one) = (Questions::default(), fleet(vec![cluster("eu", &[])]));
        let anna = somebody(Visibility::everything());
        let ask = |arguments: &Value, fleet: &Fleet| {
            let words = Words { caller: &anna, tool: tool("pods_list"), arguments: map(arguments) };
            questions.remember(words, fleet, &asked(fleet, words));
            questions.find(words, fleet).is_some()
        };
        let long = format!("metadata.name={}", "x".repeat(UNDERSTOOD_BYTES));
        assert!(!ask(&json!({ "fieldSelector": long }), &one));
        assert!(!ask(&json!({"namespace": ["shop"]}), &one));
        for limit in 1..=UNDERSTOOD_QUESTIONS + 1 {
            assert!(ask(&json!({ "limit": limit }), &one));
            assert!(questions.recent.read().by_hash.len() <= UNDERSTOOD_QUESTIONS);
        }
        assert!(ask(&json!({}), &fleet(vec![cluster("eu", &[])])));
        assert_eq!(questions.recent.read().by_hash.len(), 1, "nothing holds on to an older snapshot");
    }
}
