//! `docs/benchmarks.md`, written from figures.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, ensure};

use super::goal::Verdict;
use super::{Figure, machine};

const PREFACE: &str = "\
# Benchmarks

Written by `cargo xtask bench --write`. Measured on a machine with other work on it: trust ratios (unit ×, both sides in one run)
and sizes before absolute times. Everything runs on loopback, the load generator on the same cores as what it loads.
";

/// Replaces the document.
///
/// # Errors
/// When only some benchmarks ran: the document would lose the others' figures. When the file can't be written.
pub(super) fn write(
    figures: &[(&'static str, Vec<Figure>)],
    failed: &[&str],
    complete: bool,
) -> anyhow::Result<()> {
    ensure!(complete, "--write needs all benchmarks: leave --only out");
    let path = crate::root().join("docs/benchmarks.md");
    fs::write(&path, page(figures, failed, &machine::describe())?)
        .with_context(|| format!("writing {}", path.display()))
}

fn page(figures: &[(&'static str, Vec<Figure>)], failed: &[&str], machine: &str) -> anyhow::Result<String> {
    let mut text = format!("{PREFACE}\nMachine: {machine}\n");
    for (name, figures) in figures {
        // Writing to a String can't fail.
        let _ =
            write!(text, "\n## {name}\n\n| figure | value | goal | what limits it |\n|---|---:|---|---|\n");
        for figure in figures {
            let value = format!("{} {}", number(figure.value), figure.unit);
            let missed = if figure.verdict()? == Verdict::Missed { ", **missed**" } else { "" };
            let _ = writeln!(
                text,
                "| {} | {value} | {}{missed} | {} |",
                figure.figure, figure.goal, figure.limit
            );
        }
    }
    for name in failed {
        let _ = write!(text, "\n## {name}\n\nFailed in this run, and so has no figures.\n");
    }
    Ok(text)
}

/// Three significant digits for small numbers, separated thousands for large ones.
pub(super) fn number(value: f64) -> String {
    if value.abs() < 100.0 {
        let digits = if value.abs() < 1.0 { 3 } else { 2 };
        return format!("{value:.digits$}");
    }
    let digits = format!("{value:.0}");
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |rest| ("-", rest));
    let mut separated = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            separated.push(',');
        }
        separated.push(digit);
    }
    format!("{sign}{separated}")
}

#[cfg(test)]
mod tests {
    use super::{Figure, number, page};

    #[test]
    fn what_misses_its_goal_is_marked() {
        let figure = |value, goal: &str| Figure {
            figure: "time".to_owned(),
            value,
            unit: "ms".to_owned(),
            goal: goal.to_owned(),
            limit: "the disk".to_owned(),
        };
        let figures = [("some", vec![figure(1.0, "≤ 2"), figure(3.0, "≤ 2"), figure(3.0, "")])];
        let page = page(&figures, &["other"], "a machine").unwrap();
        let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| time")).collect();
        assert_eq!(
            rows,
            [
                "| time | 1.00 ms | ≤ 2 | the disk |",
                "| time | 3.00 ms | ≤ 2, **missed** | the disk |",
                "| time | 3.00 ms |  | the disk |",
            ]
        );
        assert!(page.ends_with("## other\n\nFailed in this run, and so has no figures.\n"), "{page}");
    }

    #[test]
    fn numbers_read_easily() {
        for (value, text) in [
            (0.123_456, "0.123"),
            (9.876, "9.88"),
            (975.4, "975"),
            (23_456.0, "23,456"),
            (1_234_567.0, "1,234,567"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
