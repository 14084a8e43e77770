//! What somebody may have meant.

/// At most so many suggestions.
const SUGGESTIONS: usize = 3;

/// Longer words are no typing mistake of anything.
const LONGEST: usize = 64;

/// The known words that differ from `word` by little, nearest first.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    if word.len() > LONGEST {
        return Vec::new();
    }
    let tolerance = 1 + word.chars().count() / 5;
    let word = word.to_lowercase();
    let mut near: Vec<(usize, &str)> = known
        .map(|other| (distance(&word, &other.to_lowercase()), other))
        .filter(|(distance, _)| *distance <= tolerance)
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().map(|(_, word)| word).take(SUGGESTIONS).collect()
}

/// Insertions, deletions, replacements and swaps of neighbours that make one word the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_mistakes_are_near_and_other_words_are_not() {
        let known = ["name", "ready", "status", "restarts", "age"];
        for (word, expected) in [
            ("stauts", &["status"][..]),
            ("Restart", &["restarts"]),
            ("nmae", &["name"]),
            ("zone", &[]),
            ("", &[]),
        ] {
            assert_eq!(nearest(word, known.into_iter()), expected, "{word}");
        }
        assert!(nearest(&"a".repeat(10_000), known.into_iter()).is_empty());
    }
}
