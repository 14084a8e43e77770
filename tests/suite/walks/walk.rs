//! A question, and the calls that answer it: made through MCP, as a model makes them, and as commands.

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::program;
use serde_json::Value;
use tiktoken_rs::o200k_base;

/// What a whole walk may cost a model, in calls and in tokens.
pub(super) const MOST_CALLS: usize = 3;
pub(super) const MOST_TOKENS: usize = 4_000;

pub(super) struct Walk {
    pub(super) question: &'static str,
    pub(super) steps: &'static [Step],
    /// The answer.
    pub(super) concluded: &'static str,
    /// What it may cost, in tokens.
    pub(super) most_tokens: usize,
}

/// One call, what its answer must show, and what one learns from it.
pub(super) struct Step {
    pub(super) tool: &'static str,
    pub(super) arguments: &'static str,
    /// The same as a command, after the program's name.
    pub(super) command: &'static str,
    pub(super) shows: &'static [&'static str],
    pub(super) learned: &'static str,
}

/// A walk that was taken.
pub(super) struct Taken {
    pub(super) walk: &'static Walk,
    pub(super) answers: Vec<Answer>,
}

pub(super) struct Answer {
    /// As a client gets it that reads text.
    pub(super) text: String,
    /// Of the structured answer, which models get from most clients.
    pub(super) tokens: usize,
}

impl Taken {
    pub(super) fn tokens(&self) -> usize {
        self.answers.iter().map(|answer| answer.tokens).sum()
    }
}

/// # Panics
/// When an answer does not show what it must, or the walk costs more than it may.
pub(super) async fn take(fleet: &TestFleet, walk: &'static Walk) -> Taken {
    let mut taken = Taken { walk, answers: Vec::new() };
    for step in walk.steps {
        taken.answers.push(asked(fleet, step).await);
        typed(fleet, step).await;
    }
    let tokens = taken.tokens();
    println!("{}: {tokens} tokens in {} calls", walk.question, walk.steps.len());
    assert!(walk.steps.len() <= MOST_CALLS && walk.most_tokens <= MOST_TOKENS, "{}", walk.question);
    assert!(
        tokens <= walk.most_tokens,
        "{}: {tokens} tokens are more than {}",
        walk.question,
        walk.most_tokens
    );
    taken
}

async fn asked(fleet: &TestFleet, step: &Step) -> Answer {
    let arguments: Value = serde_json::from_str(step.arguments).expect("JSON");
    let exchange = fleet.exchange(step.tool, arguments).await;
    let structured =
        exchange.structured().unwrap_or_else(|error| panic!("{} {}: {error}", step.tool, step.arguments));
    let (structured, text) = (structured.to_string(), exchange.text().to_owned());
    for shown in step.shows {
        for answer in [&structured, &text] {
            assert!(answer.contains(shown), "{} {} should show {shown}: {answer}", step.tool, step.arguments);
        }
    }
    let encoding = o200k_base().expect("the vocabulary is built in");
    Answer { tokens: encoding.encode_ordinary(&structured).len(), text }
}

/// A person sees the same.
async fn typed(fleet: &TestFleet, step: &Step) {
    let endpoint = fleet.endpoint();
    let mut words: Vec<_> = step.command.split(' ').map(|word| word.trim_matches('\'')).collect();
    words.extend(["--endpoint", &endpoint]);
    let output = program::run("kubeplex", &words, "").await;
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "kubeplex {}: {said}", step.command);
    for shown in step.shows {
        assert!(printed.contains(shown), "kubeplex {} should show {shown}: {printed}", step.command);
    }
}
