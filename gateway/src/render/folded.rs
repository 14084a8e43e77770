//! What followed from a change.

use kubeplex_proto::changes::Folded;

/// `pods +12 -12, replicasets +1`.
pub(crate) fn folded(folded: &[Folded]) -> String {
    let one = |folded: &Folded| {
        let counts = [("+", folded.created), ("-", folded.deleted)];
        let counts =
            counts.iter().filter(|(_, count)| *count > 0).map(|(sign, count)| format!(" {sign}{count}"));
        format!("{}{}", folded.kind.resource, counts.collect::<String>())
    };
    folded.iter().map(one).collect::<Vec<_>>().join(", ")
}
