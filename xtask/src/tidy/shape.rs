//! How files look, and what they must not contain.

use super::Finding;
use super::files::SourceFile;

/// Above this a file has more than one reason to exist.
const MOST_LINES: usize = 400;

pub(super) fn files_are_short(files: &[SourceFile]) -> Vec<Finding> {
    let too_long = |file: &&SourceFile| file.is_rust() && file.text.lines().count() > MOST_LINES;
    files
        .iter()
        .filter(too_long)
        .map(|file| {
            let count = file.text.lines().count();
            finding(
                file,
                count,
                format!("{count} lines: above {MOST_LINES} a file has more than one reason to exist"),
            )
        })
        .collect()
}

pub(super) fn files_begin_with_what_they_are_for(files: &[SourceFile]) -> Vec<Finding> {
    files
        .iter()
        .filter(|file| file.is_rust() && !file.path.ends_with("tests.rs") && !file.text.starts_with("//!"))
        .map(|file| finding(file, 1, "a file begins with //! and what it is for".to_owned()))
        .collect()
}

pub(super) fn no_unfinished_code(files: &[SourceFile]) -> Vec<Finding> {
    each_line(files, |file, text| {
        let unfinished = [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("#[", "ignore")];
        let found = unfinished.iter().find(|word| text.contains(*word))?;
        file.is_rust().then(|| format!("{found} is unfinished work"))
    })
}

pub(super) fn exceptions_give_a_reason(files: &[SourceFile]) -> Vec<Finding> {
    let allow = [concat!("#[", "allow("), concat!("#![", "allow(")];
    each_line(files, |file, text| {
        let found = file.is_rust() && allow.iter().any(|word| text.trim_start().starts_with(word));
        found.then(|| "use #[expect(lint, reason = \"…\")]: it tells when the reason is gone".to_owned())
    })
}

/// A sleep makes a test slow or flaky; paused time or waiting on a value makes it neither.
pub(super) fn tests_do_not_sleep(files: &[SourceFile]) -> Vec<Finding> {
    let sleeps = [concat!("time::", "sleep("), concat!("thread::", "sleep(")];
    each_line(files, |file, text| {
        let paused = file.text.contains("start_paused");
        let found =
            file.is_rust() && file.is_test() && !paused && sleeps.iter().any(|sleep| text.contains(sleep));
        found.then(|| "tests wait on a value or use paused time, they do not sleep".to_owned())
    })
}

/// Relative links of Markdown files.
pub(super) fn links_lead_somewhere(files: &[SourceFile]) -> Vec<Finding> {
    let root = crate::root();
    each_line(files, |file, text| {
        if !file.path.ends_with(".md") {
            return None;
        }
        let folder = root.join(&file.path).parent()?.to_owned();
        // What stands in code is not a link: a regular expression may look like one.
        let prose: String = text.split('`').step_by(2).collect();
        let targets = prose.split("](").skip(1).filter_map(|rest| rest.split([')', '#', ' ']).next());
        let broken = targets
            .filter(|target| !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:"))
            .find(|target| !folder.join(target).exists())?;
        Some(format!("the link to {broken} leads nowhere"))
    })
}

pub(super) fn lock_files_name_public_registries_only(files: &[SourceFile]) -> Vec<Finding> {
    let public = ["https://github.com/rust-lang/crates.io-index", "https://registry.npmjs.org/"];
    each_line(files, |file, text| {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        if !matches!(name, "Cargo.lock" | "package-lock.json") {
            return None;
        }
        let text = text.trim_start();
        let address =
            text.strip_prefix("\"resolved\": \"").or_else(|| text.strip_prefix("source = \"registry+"))?;
        let known = public.iter().any(|prefix| address.starts_with(prefix));
        (!known).then(|| format!("{address} is not a public registry"))
    })
}

fn each_line(files: &[SourceFile], rule: impl Fn(&SourceFile, &str) -> Option<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        for (line, text) in file.lines() {
            findings.extend(rule(file, text).map(|problem| finding(file, line, problem)));
        }
    }
    findings
}

fn finding(file: &SourceFile, line: usize, problem: String) -> Finding {
    Finding { path: file.path.clone(), line, problem }
}
