//! The files that rules look at.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

/// A text file of the checkout.
pub(super) struct SourceFile {
    /// Relative to the root, with forward slashes.
    pub(super) path: String,
    pub(super) text: String,
}

impl SourceFile {
    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    pub(super) fn is_under(&self, folder: &str) -> bool {
        self.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
    }

    /// A module of tests: `tests.rs`, or anything in a folder `tests`.
    pub(super) fn is_test(&self) -> bool {
        let mut parts = self.path.split('/');
        parts.any(|part| part == "tests" || part.ends_with("tests.rs"))
    }

    /// Lines with their number, from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// What ships: all lines but `#[cfg(test)]` and the item that each of them is about.
    pub(super) fn shipped_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut lines = self.lines();
        std::iter::from_fn(move || {
            loop {
                let (number, line) = lines.next()?;
                if line.trim() != "#[cfg(test)]" {
                    return Some((number, line));
                }
                skip_item(&mut lines, indentation(line));
            }
        })
    }
}

/// Goes past an item, by the layout that rustfmt gives it: it ends on its first line, or where a bracket closes as far left as
/// it began. Where that is wrong, it is too early, and a line is looked at that need not be.
fn skip_item<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>, indent: usize) {
    let mut opened = false;
    for (_, line) in lines {
        let text = line.trim();
        if indentation(line) == indent && (text.starts_with("#[") || text.starts_with("//")) {
            continue;
        }
        let ends = text.ends_with([';', ',', '}']);
        let closes = indentation(line) == indent && text.starts_with(['}', ')', ']']);
        if ends && (closes || !opened) {
            return;
        }
        opened |= text.ends_with(['{', '(', '[']);
    }
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Everything that git tracks or would add, as far as it is text.
pub(super) fn tracked(root: &Path) -> anyhow::Result<Vec<SourceFile>> {
    let listing = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root)
        .output()
        .context("running git ls-files")?;
    ensure!(listing.status.success(), "git ls-files failed: {}", String::from_utf8_lossy(&listing.stderr));
    let names = String::from_utf8(listing.stdout).context("git listed a path that is not UTF-8")?;
    let read = |path: &str| {
        let text = std::fs::read_to_string(root.join(path)).ok()?;
        Some(SourceFile { path: path.to_owned(), text })
    };
    Ok(names.split('\0').filter(|path| !path.is_empty()).filter_map(read).collect())
}

#[cfg(test)]
mod tests {
    use super::SourceFile;

    #[test]
    fn only_what_belongs_to_tests_does_not_ship() {
        let text = "\
mod a;
#[cfg(test)]
mod tests;
use b;
#[cfg(test)]
/// Why.
#[derive(Debug)]
struct Made {
    field: usize,
}
struct Real {
    #[cfg(test)]
    seen: usize,
    kept: usize,
}
#[cfg(test)]
fn made(
    argument: usize,
) -> Made {
    if argument > 0 {
        return Made { field: 1 };
    }
}
#[cfg(test)]
use c::{
    D, E,
};
#[cfg(test)]
const LONG: &str =
    \"long\";
fn last() {}";
        let file = SourceFile { path: "a.rs".to_owned(), text: text.to_owned() };
        let shipped: Vec<_> = file.shipped_lines().map(|(_, line)| line.trim()).collect();
        assert_eq!(shipped, ["mod a;", "use b;", "struct Real {", "kept: usize,", "}", "fn last() {}"]);
        assert_eq!(file.shipped_lines().last(), Some((31, "fn last() {}")));
    }
}
