//! Pages of documentation that tests write of what they saw.

/// Set it to write them.
const UPDATE: &str = "KUBEPLEX_UPDATE_DOCS";

pub(crate) fn are_to_be_written() -> bool {
    std::env::var_os(UPDATE).is_some()
}
