//! The walks as a page for people, with what was answered. Ages and times are those of when it was written.

use std::fmt::Write as _;

use super::walk::{MOST_CALLS, MOST_TOKENS, Step, Taken, Walk};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/walks.md");

const HEAD: &str = "\
# Three walks

Questions that people ask every day, each answered in at most three calls, and what the answers were: of the demo (`kubeplex demo`),
and of real API servers with real controllers (`cargo xtask controlplane`), on which the same sort of story was made to happen.

Each step is shown as a command for a person and as the call that a model makes; the answer is the text that a model reads. The
tokens are those of the structured answer (o200k), which most clients hand on in place of the text. A whole walk costs at most
";

const REAL: &str = "\
A namespace `storefront` in three clusters. `argocd-controller` sets checkout 1.8.1 up with four replicas; `platform-defaults` gives
the namespace a quota in eu-1; the release 1.8.2 goes to eu-1 and us-1; and somebody edits ap-1 by hand.
";

const DEMO: &str = "\
A web shop on the day before its biggest sale: [demo.md](demo.md) tells the whole of it. The agents have only just started, so what
is told of the past is what the objects themselves still tell.
";

pub(super) fn write(demo: &[Taken], real: &[Taken]) {
    let mut page = format!(
        "{HEAD}{MOST_TOKENS} tokens in {MOST_CALLS} calls: tests take them all. `cargo xtask walks --write` writes this page.\n"
    );
    for (heading, about, walks) in [("The demo", DEMO, demo), ("Real control planes", REAL, real)] {
        // Writing to a String can't fail, here and below.
        let _ = write!(page, "\n## {heading}\n\n{about}");
        walks.iter().for_each(|taken| of_walk(&mut page, taken));
    }
    std::fs::write(PAGE, page).expect("docs/walks.md is written");
}

fn of_walk(page: &mut String, taken: &Taken) {
    let walk = taken.walk;
    let _ = write!(page, "\n### {}\n", walk.question);
    for (step, answer) in walk.steps.iter().zip(&taken.answers) {
        let _ = write!(
            page,
            "\n```\n{}\n{}\n```\n\n```\n{}\n```\n\n{} tokens. {}\n",
            command(step),
            call(step),
            shortened(answer.text.trim_end()),
            answer.tokens,
            step.learned
        );
    }
    let _ = write!(page, "\n**{}** {}\n", cost(walk, taken.tokens()), walk.concluded);
}

fn command(step: &Step) -> String {
    format!("$ kubeplex {}", step.command)
}

fn call(step: &Step) -> String {
    format!("$ kubeplex call {} '{}'", step.tool, step.arguments)
}

fn cost(walk: &Walk, tokens: usize) -> String {
    let calls = walk.steps.len();
    format!("{calls} {}, {tokens} tokens.", if calls == 1 { "call" } else { "calls" })
}

/// Cursors say nothing to people.
fn shortened(text: &str) -> String {
    let word = |word: &str| if word.len() > 200 { "…".to_owned() } else { word.to_owned() };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// The page has each walk in its place, with answers that show what they must, within what they may cost.
///
/// # Panics
/// With what is missing.
pub(super) fn check(parts: &[(&str, &[Walk])]) {
    let page =
        std::fs::read_to_string(PAGE).expect("docs/walks.md is there: cargo xtask walks --write makes it");
    let mut rest = page.as_str();
    let mut goes_on = |with: &str| {
        let at = rest.find(with).unwrap_or_else(|| {
            panic!("docs/walks.md has no {with:?} in its place: cargo xtask walks --write writes it anew")
        });
        let between = &rest[..at];
        rest = &rest[at + with.len()..];
        between
    };
    for (heading, walks) in parts {
        goes_on(&format!("\n## {heading}\n"));
        for walk in *walks {
            goes_on(&format!("\n### {}\n", walk.question));
            for step in walk.steps {
                goes_on(&format!("\n{}\n{}\n```\n", command(step), call(step)));
                let answer = goes_on(&format!(" tokens. {}\n", step.learned));
                for shown in step.shows {
                    assert!(
                        answer.contains(shown),
                        "docs/walks.md: the answer to {} lacks {shown}",
                        call(step)
                    );
                }
            }
            let before = goes_on(&format!(" tokens.** {}\n", walk.concluded));
            let tokens: usize =
                before.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or(usize::MAX);
            assert!(tokens <= walk.most_tokens, "docs/walks.md: {tokens} tokens for {}", walk.question);
        }
    }
}
