//! The names that somebody may have meant: both ends refuse words that they don't know, and should guess alike.

/// Names offered at once.
const MAX_NAMES: usize = 3;
/// Beyond this a name is no typing error, and comparing would cost.
const MAX_CHARS: usize = 80;

/// The nearest of `known`, at most three, best first; a name that contains the word, or is contained in it, is near.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted: Vec<char> = word.to_lowercase().chars().take(MAX_CHARS).collect();
    let allowed = (wanted.len() / 3).max(1);
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|candidate| Some((distance_within(&wanted, candidate, allowed)?, candidate)))
        .collect();
    near.sort_unstable();
    near.dedup_by_key(|(_, candidate)| *candidate);
    near.into_iter().map(|(_, candidate)| candidate).take(MAX_NAMES).collect()
}

/// How far a candidate is; one that contains the name, or is contained in it, is near.
fn distance_within(wanted: &[char], candidate: &str, allowed: usize) -> Option<usize> {
    let candidate: Vec<char> = candidate.to_lowercase().chars().take(MAX_CHARS).collect();
    let (short, long) =
        if wanted.len() < candidate.len() { (wanted, &candidate[..]) } else { (&candidate[..], wanted) };
    let contained = short.len() >= 3 && long.windows(short.len()).any(|window| window == short);
    let distance = if long.len() - short.len() > allowed { usize::MAX } else { distance(wanted, &candidate) };
    // As near as the allowed distance, so that real typing errors come first.
    let distance = if contained { distance.min(allowed) } else { distance };
    (distance <= allowed && distance < wanted.len().max(1)).then_some(distance)
}

/// Insertions, deletions, changes and swaps of neighbours that turn one word into the other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let changed = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + changed);
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
    fn typing_errors_find_their_word() {
        let arguments = ["cluster", "clusterSelector", "namespace", "labelSelector", "limit", "pods", "po"];
        let columns = ["name", "ready", "status", "restarts", "age"];
        for (word, known, expected) in [
            ("clutser", &arguments[..], &["cluster"][..]),
            ("Namespace", &arguments, &["namespace"]),
            ("labelselector", &arguments, &["labelSelector"]),
            ("selector", &arguments, &["clusterSelector", "labelSelector"]),
            ("limits", &arguments, &["limit"]),
            ("pod", &arguments, &["po", "pods"]),
            ("xyzzy", &arguments, &[]),
            ("", &arguments, &[]),
            ("stauts", &columns, &["status"]),
            ("Restart", &columns, &["restarts"]),
            ("nmae", &columns, &["name"]),
            ("zone", &columns, &[]),
            ("", &columns, &[]),
        ] {
            assert_eq!(nearest(word, known.iter().copied()), expected, "{word}");
        }
    }
}
