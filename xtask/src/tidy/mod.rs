//! What cargo can't forbid: the layering, the shape of files, and what must never be committed.
//!
//! Each rule is a function over the files that git tracks or would track. All findings are reported at once.

mod files;
mod layers;
mod shape;

use anyhow::{Context, bail};

use files::SourceFile;

/// One violation, in the form that editors can jump to.
#[derive(Debug)]
struct Finding {
    path: String,
    line: usize,
    problem: String,
}

type Rule = fn(&[SourceFile]) -> Vec<Finding>;

const RULES: &[Rule] = &[
    layers::crates_depend_downwards,
    layers::pure_modules_do_no_io,
    layers::lints_are_inherited,
    shape::files_are_short,
    shape::files_begin_with_what_they_are_for,
    shape::no_unfinished_code,
    shape::exceptions_give_a_reason,
    shape::tests_do_not_sleep,
    shape::links_lead_somewhere,
    shape::lock_files_name_public_registries_only,
];

/// Runs every rule.
///
/// # Errors
/// All findings in one message, a line each.
pub(crate) fn run() -> anyhow::Result<()> {
    let files = files::tracked(&crate::root()).context("listing the files of the checkout")?;
    let findings: Vec<Finding> = RULES.iter().flat_map(|rule| rule(&files)).collect();
    if findings.is_empty() {
        println!("tidy: {} files, {} rules, nothing to say", files.len(), RULES.len());
        return Ok(());
    }
    let lines: Vec<_> = findings.iter().map(|f| format!("{}:{}: {}", f.path, f.line, f.problem)).collect();
    bail!("{} findings:\n{}", lines.len(), lines.join("\n"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checkout_is_tidy() {
        super::run().unwrap_or_else(|findings| panic!("{findings:#}"));
    }
}
