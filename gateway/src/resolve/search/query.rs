//! The grammar of queries, as docs/search.md tells it.

use kubeplex_proto::nearest::nearest;
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::search::{Bound, Comparison, Condition, LabelTest, Phrase, Term};

use crate::error::CallError;
use crate::limits::MAX_LIST_PARTS;
use crate::resolve::guard::short;
use crate::resolve::times;

use super::scanner::{Piece, Scanner, wrong};

/// A query as it was written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    /// Without kinds, whose names are not looked up yet.
    pub(super) terms: Vec<Term>,
    pub(super) kinds: Vec<Named>,
    pub(super) clusters: Vec<Named>,
}

/// Names or globs of what the gateway knows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) negated: bool,
    pub(super) names: Vec<Piece>,
}

/// What stands before a colon, in every spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Kind,
    Namespace,
    Name,
    Image,
    Label,
    Node,
    Status,
    Cluster,
    Restarts,
    Age,
}

const KEYS: [(&str, Key); 14] = [
    ("kind", Key::Kind),
    ("ns", Key::Namespace),
    ("namespace", Key::Namespace),
    ("name", Key::Name),
    ("image", Key::Image),
    ("label", Key::Label),
    ("labels", Key::Label),
    ("node", Key::Node),
    ("status", Key::Status),
    ("cluster", Key::Cluster),
    ("clusters", Key::Cluster),
    ("restarts", Key::Restarts),
    ("restart", Key::Restarts),
    ("age", Key::Age),
];

/// Once each, as messages say them.
const KEYS_SAID: &str = "kind, ns, name, image, label, node, status, cluster, restarts, age";

/// The longest first.
const OPERATORS: [(&str, Comparison); 6] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Less),
    (">", Comparison::More),
    (":", Comparison::Equal),
    ("=", Comparison::Equal),
];

/// # Errors
/// `invalid_argument` with the column of the first mistake.
pub(super) fn parse(text: &str) -> Result<Query, CallError> {
    let mut scanner = Scanner::new(text);
    let mut query = Query::default();
    for count in 0.. {
        scanner.skip_spaces();
        if scanner.rest().is_empty() {
            break;
        }
        if count == MAX_LIST_PARTS {
            let problem = format!("more than {MAX_LIST_PARTS} terms; commas give alternatives: ns:shop,pay");
            return Err(wrong(scanner.column(), &problem));
        }
        term(&mut scanner, &mut query)?;
    }
    if query == Query::default() {
        return Err(CallError::invalid(format!(
            "query: \"{}\" says nothing; words and key:value are wanted, such as cart status:CrashLoopBackOff restarts>5",
            short(text, 60)
        )));
    }
    Ok(query)
}

fn term(scanner: &mut Scanner<'_>, query: &mut Query) -> Result<(), CallError> {
    let column = scanner.column();
    let negated = scanner.takes("-");
    let mut add = |condition| query.terms.push(Term { negated, condition });
    let Some((key, comparison)) = key(scanner)? else {
        let piece = scanner.piece(&[])?;
        if piece.text.is_empty() {
            let problem =
                if negated { "- stands before nothing; -word leaves out" } else { "a text is empty" };
            return Err(wrong(column, problem));
        }
        ends(scanner)?;
        add(Condition::Word(phrase(&piece)));
        return Ok(());
    };
    match key {
        Key::Restarts => add(Condition::Restarts(Bound { comparison, value: restarts(scanner)? })),
        Key::Age => add(Condition::Age(Bound { comparison, value: age_ms(scanner, comparison)? })),
        Key::Kind => query.kinds.push(Named { negated, names: values(scanner, key, comparison)? }),
        Key::Cluster => query.clusters.push(Named { negated, names: values(scanner, key, comparison)? }),
        Key::Label => add(Condition::Label(labels(scanner, comparison)?)),
        _ => {
            let values = values(scanner, key, comparison)?;
            let patterns = || values.iter().map(pattern).collect::<Result<Vec<_>, _>>();
            add(match key {
                Key::Namespace => Condition::Namespace(patterns()?),
                Key::Name => Condition::Name(patterns()?),
                Key::Node => Condition::Node(patterns()?),
                Key::Status => Condition::Status(patterns()?),
                _ => Condition::Image(values.iter().map(phrase).collect()),
            });
        }
    }
    ends(scanner)
}

/// The key that is next and its operator; nothing is taken where a word is next.
fn key(scanner: &mut Scanner<'_>) -> Result<Option<(Key, Comparison)>, CallError> {
    let rest = scanner.rest();
    let name = &rest[..rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len())];
    let operator = OPERATORS.iter().find(|(operator, _)| rest[name.len()..].starts_with(operator));
    let (Some((operator, comparison)), false) = (operator, name.is_empty()) else { return Ok(None) };
    let Some((_, key)) = KEYS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) else {
        return Err(unknown(scanner.column(), name, operator, rest));
    };
    scanner.takes(name);
    scanner.takes(operator);
    Ok(Some((*key, *comparison)))
}

fn unknown(column: usize, name: &str, operator: &str, rest: &str) -> CallError {
    let word: String = rest.chars().take_while(|c| !c.is_whitespace()).collect();
    let near = nearest(name, KEYS.iter().map(|(name, _)| *name));
    let meant = match near.first() {
        Some(near) => format!("did you mean {near}?"),
        None if operator == "=" => format!("a label is label:{}", short(&word, 60)),
        None => format!("keys are {KEYS_SAID}"),
    };
    let problem = format!("\"{}\" is no key; {meant}", short(name, 40));
    wrong(column, &problem)
        .with_hint(format!("a word with {operator} in it stands in quotes: \"{}\"", short(&word, 60)))
}

/// Values between commas.
fn values(scanner: &mut Scanner<'_>, key: Key, comparison: Comparison) -> Result<Vec<Piece>, CallError> {
    equality(scanner, key, comparison)?;
    let mut values = Vec::new();
    loop {
        let value = scanner.piece(&[','])?;
        if value.text.is_empty() {
            return Err(wrong(value.column, &format!("{} has no value here; {}", said(key), example(key))));
        }
        values.push(value);
        if !scanner.takes(",") {
            return Ok(values);
        }
    }
}

fn labels(scanner: &mut Scanner<'_>, comparison: Comparison) -> Result<Vec<LabelTest>, CallError> {
    equality(scanner, Key::Label, comparison)?;
    let mut tests = Vec::new();
    loop {
        let key = scanner.piece(&[',', '='])?;
        if key.text.is_empty() {
            return Err(wrong(key.column, &format!("label has no key here; {}", example(Key::Label))));
        }
        let value = if scanner.takes("=") { Some(scanner.piece(&[','])?) } else { None };
        tests.push(LabelTest { key: pattern(&key)?, value: value.as_ref().map(pattern).transpose()? });
        if !scanner.takes(",") {
            return Ok(tests);
        }
    }
}

fn equality(scanner: &Scanner<'_>, key: Key, comparison: Comparison) -> Result<(), CallError> {
    if comparison == Comparison::Equal {
        return Ok(());
    }
    let problem = format!("only restarts and age are compared with < and >; {}", example(key));
    Err(wrong(scanner.column() - 1, &problem))
}

fn restarts(scanner: &mut Scanner<'_>) -> Result<i64, CallError> {
    let value = scanner.piece(&[])?;
    value.text.parse().map_err(|_| {
        let problem = format!("\"{}\" is no whole number; restarts>5 is an example", short(&value.text, 40));
        wrong(value.column, &problem)
    })
}

fn age_ms(scanner: &mut Scanner<'_>, comparison: Comparison) -> Result<i64, CallError> {
    let example = "age<1h is younger than an hour, age>3d older than three days";
    if comparison == Comparison::Equal {
        return Err(wrong(scanner.column() - 1, &format!("an age is compared with < or >: {example}")));
    }
    let value = scanner.piece(&[])?;
    let ms = times::duration_ms(&value.text).and_then(|ms| i64::try_from(ms).ok());
    ms.ok_or_else(|| {
        let problem =
            format!("\"{}\" is no duration such as 90s, 10m, 2h or 3d; {example}", short(&value.text, 40));
        wrong(value.column, &problem)
    })
}

/// A term ends at a space.
fn ends(scanner: &Scanner<'_>) -> Result<(), CallError> {
    match scanner.rest().chars().next() {
        Some(c) if !c.is_whitespace() => {
            let problem =
                format!("\"{}\" follows a closing quote; put a space between", short(scanner.rest(), 40));
            Err(wrong(scanner.column(), &problem))
        }
        _ => Ok(()),
    }
}

fn phrase(piece: &Piece) -> Phrase {
    let text = piece.text.to_lowercase();
    if piece.quoted || !text.contains('*') { Phrase::Part(text) } else { Phrase::Glob(Pattern::new(text)) }
}

/// A whole text, or a glob.
fn pattern(piece: &Piece) -> Result<Pattern, CallError> {
    if piece.quoted && piece.text.contains('*') {
        let problem = format!(
            "\"{}\": a * stands for any text here, also in quotes; leave them out",
            short(&piece.text, 40)
        );
        return Err(wrong(piece.column, &problem));
    }
    Ok(Pattern::new(piece.text.to_lowercase()))
}

fn said(key: Key) -> &'static str {
    KEYS.iter().find(|(_, known)| *known == key).map_or("", |(name, _)| name)
}

fn example(key: Key) -> &'static str {
    match key {
        Key::Kind => "kind:deploy is an example",
        Key::Namespace => "ns:shop,pay-* is an example",
        Key::Name => "name:cart-* is an example",
        Key::Image => "image:nginx is an example",
        Key::Label => "label:app=cart is an example",
        Key::Node => "node:ip-10-0-* is an example",
        Key::Status => "status:Pending,Crash* is an example",
        Key::Cluster => "cluster:prod-* is an example",
        Key::Restarts => "restarts>5 is an example",
        Key::Age => "age<1h is an example",
    }
}

#[cfg(test)]
mod tests;
