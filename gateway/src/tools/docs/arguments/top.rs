//! The columns of `top`.

use kubeplex_proto::usage::{OF_NODES, OF_PODS, UsageColumn};

pub(super) fn columns() -> String {
    let named = |columns: &[UsageColumn], usual: bool| {
        let columns = columns.iter().filter(|column| column.usual == usual);
        columns.map(|column| format!("`{}`", column.name)).collect::<Vec<_>>().join(", ")
    };
    format!(
        "columns, as a comma list; `*` alone is all of them. Of pods usual are {}; to be asked for {}, `age`. Of nodes {}; \
         {}, `age`. `cpu` is in thousandths of a processor, `memory` in mebibytes, as `kubectl top` says them; a limit stands \
         where every container has one. `atLimit` names containers that use 95 % of a limit of theirs or more, for they may be \
         held back or killed; percents of pods are those of the container nearest to its limit, of nodes of what can be allocated. `sampled` \
         is how long ago it was measured. Paths lead to labels and to what containers use: `metadata.labels['app']`, \
         `containers[*].usage.cpu`",
        named(&OF_PODS, true),
        named(&OF_PODS, false),
        named(&OF_NODES, true),
        named(&OF_NODES, false),
    )
}
