//! `docs/benchmarks.md`, written from figures.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, ensure};

use super::{Figure, machine};

const PREFACE: &str = "\
# Benchmarks

Written by `cargo xtask bench --write`. The machines that run this are shared and noisy: trust ratios (unit ×, both sides in one
run) and sizes before absolute times. Everything runs on loopback, the load generator on the same cores as what it loads.
";

/// Replaces the document.
///
/// # Errors
/// When only some benchmarks ran: the document would lose the others' figures. When the file can't be written.
pub(super) fn write(figures: &[(&'static str, Vec<Figure>)], complete: bool) -> anyhow::Result<()> {
    ensure!(complete, "--write needs all benchmarks: leave --only out");
    let mut text = format!("{PREFACE}\nMachine: {}\n", machine::describe());
    for (name, figures) in figures {
        // Writing to a String can't fail.
        let _ =
            write!(text, "\n## {name}\n\n| figure | value | goal | what limits it |\n|---|---:|---|---|\n");
        for figure in figures {
            let value = format!("{} {}", number(figure.value), figure.unit);
            let _ = writeln!(text, "| {} | {value} | {} | {} |", figure.figure, figure.goal, figure.limit);
        }
    }
    let path = crate::root().join("docs/benchmarks.md");
    fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
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
    use super::number;

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
