//! Lines folded into templates: those that differ only in what changes from line to line are one.
//!
//! Numbers, times, addresses and identifiers are written as what they are ([`masked`]); lines that are then alike in most of
//! their words become one template, with `<*>` for the others. After He et al., "Drain: An Online Log Parsing Approach with
//! Fixed Depth Tree" (2017).

mod mask;

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

pub use mask::masked;

/// What many lines have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Template {
    pub text: String,
    pub count: u64,
    /// Of its oldest and newest line, in nanoseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_ns: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ns: Option<i64>,
    /// Who wrote such lines, by number.
    #[serde(default)]
    pub sources: BTreeSet<u32>,
}

/// Folds lines. Its size is bounded, however many and however different they are.
#[derive(Debug, Default)]
pub struct Fold {
    templates: Vec<Words>,
    /// Templates by their number of words and the first of them, which rarely changes.
    alike: HashMap<(usize, String), Vec<usize>>,
    /// Texts that were folded already.
    known: HashMap<String, usize>,
    /// Lines of no template, because there were too many.
    others: u64,
}

#[derive(Debug)]
struct Words {
    words: Vec<String>,
    template: Template,
}

/// What takes the place of a word that differs.
const ANY: &str = "<*>";
/// Different templates that are kept.
const TEMPLATES: usize = 500;
/// Texts that are found without comparing words.
const KNOWN: usize = 2_000;
/// Words of a line that count; what follows is left out.
const WORDS: usize = 60;

impl Fold {
    /// A line, and who wrote it.
    pub fn line(&mut self, source: u32, at_ns: Option<i64>, line: &str) {
        self.add(Template {
            text: masked(line),
            count: 1,
            first_ns: at_ns,
            last_ns: at_ns,
            sources: BTreeSet::from([source]),
        });
    }

    /// Lines that were folded already.
    pub fn add(&mut self, template: Template) {
        let at = match self.known.get(&template.text) {
            Some(at) => *at,
            None => match self.place(&template.text) {
                Some(at) => at,
                None => return self.others += template.count,
            },
        };
        let known = &mut self.templates[at].template;
        known.count += template.count;
        known.first_ns = known.first_ns.into_iter().chain(template.first_ns).min();
        known.last_ns = known.last_ns.max(template.last_ns);
        known.sources.extend(template.sources);
    }

    /// The commonest first, and how many lines are of no template because there were too many.
    pub fn into_templates(self) -> (Vec<Template>, u64) {
        let written = |words: Words| Template { text: words.words.join(" "), ..words.template };
        let mut templates: Vec<_> = self.templates.into_iter().map(written).collect();
        templates.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.text.cmp(&b.text)));
        (templates, self.others)
    }

    /// The template of a text, which may have to be a new one.
    fn place(&mut self, text: &str) -> Option<usize> {
        let words: Vec<&str> = text.split(' ').take(WORDS).collect();
        let group = (words.len(), words.first().copied().unwrap_or_default().to_owned());
        let group = self.alike.entry(group).or_default();
        let alike = |at: &&usize| is_alike(&self.templates[**at].words, &words);
        let at = match group.iter().find(alike) {
            Some(at) => *at,
            None if self.templates.len() >= TEMPLATES => return None,
            None => {
                let at = self.templates.len();
                group.push(at);
                let empty = Template {
                    text: String::new(),
                    count: 0,
                    first_ns: None,
                    last_ns: None,
                    sources: BTreeSet::new(),
                };
                let words = words.iter().map(|word| (*word).to_owned()).collect();
                self.templates.push(Words { words, template: empty });
                at
            }
        };
        for (known, word) in self.templates[at].words.iter_mut().zip(&words) {
            if known != word {
                ANY.clone_into(known);
            }
        }
        if self.known.len() < KNOWN {
            self.known.insert(text.to_owned(), at);
        }
        Some(at)
    }
}

/// Whether two in three words are the same. What has been found to differ does not count for it.
fn is_alike(known: &[String], words: &[&str]) -> bool {
    let same = known.iter().zip(words).filter(|(known, word)| known == *word).count();
    same * 3 >= known.len() * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(lines: &[&str]) -> Vec<(u64, String)> {
        let mut fold = Fold::default();
        for (at, line) in (0..).zip(lines) {
            fold.line(at as u32 % 2, Some(at), line);
        }
        fold.into_templates().0.into_iter().map(|template| (template.count, template.text)).collect()
    }

    #[test]
    fn lines_that_differ_in_numbers_or_few_words_are_one() {
        let owned = |count, text: &str| (count, text.to_owned());
        assert_eq!(
            folded(&[
                "GET /cart 200 in 12ms",
                "GET /cart 500 in 9ms",
                "user anna logged in from 10.0.0.7:4312",
                "user ben logged in from 10.0.0.8:99",
                "shutting down",
                "starting up",
            ]),
            [
                owned(2, "GET /cart <n> in <n>ms"),
                owned(2, "user <*> logged in from <n>"),
                owned(1, "shutting down"),
                owned(1, "starting up"),
            ]
        );
    }

    #[test]
    fn templates_of_several_folds_are_put_together() {
        let (mut one, mut other, mut both) = (Fold::default(), Fold::default(), Fold::default());
        one.line(1, Some(5), "user anna logged in");
        one.line(1, Some(3), "user ben logged in");
        other.line(2, Some(9), "user carl logged in");
        for fold in [one, other] {
            fold.into_templates().0.into_iter().for_each(|template| both.add(template));
        }
        let (templates, others) = both.into_templates();
        let [template] = templates.as_slice() else { panic!("{templates:?}") };
        assert_eq!((template.text.as_str(), template.count, others), ("user <*> logged in", 3, 0));
        assert_eq!((template.first_ns, template.last_ns), (Some(3), Some(9)));
        assert_eq!(template.sources, BTreeSet::from([1, 2]));
    }

    #[test]
    fn however_different_lines_are_their_fold_is_bounded() {
        let mut fold = Fold::default();
        let letters = |mut at: usize| {
            let mut word = String::new();
            for _ in 0..6 {
                word.push(char::from(b'a' + (at % 20) as u8));
                at /= 20;
            }
            word
        };
        for at in 0..5_000 {
            fold.line(0, None, &letters(at));
        }
        assert!(fold.known.len() <= KNOWN);
        let (templates, others) = fold.into_templates();
        assert_eq!((templates.len(), others), (TEMPLATES, 4_500));
    }
}
