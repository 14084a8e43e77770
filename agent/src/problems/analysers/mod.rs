//! The analysers, one file each, and the kinds whose objects they judge.

use super::Analyser;

/// What judges the objects of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Judges {
    /// Empty for core.
    pub group: &'static str,
    pub resource: &'static str,
    /// Each looks at every object of the kind; what they find of one object is one verdict.
    pub analysers: &'static [Analyser],
}

/// Each kind once. These kinds are watched while somebody asks for problems, and so is whatever analysers look at beside them.
pub const ALL: &[Judges] = &[];
