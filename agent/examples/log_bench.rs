//! How fast an agent searches logs as they come: one figure a line, as `cargo xtask bench` reads them.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use anyhow::Context as _;
use kubeplex_agent::logs::{Grep, Reading, Wanted};

/// As large as a log is that the kubelet keeps, which nobody finds in a processor's caches.
const LOG_BYTES: usize = 64 << 20;

/// As pieces come from a connection.
const PIECE_BYTES: usize = 16 << 10;

/// Of these, the fastest counts: what else the machine did meanwhile only makes it slower.
const ROUNDS: usize = 5;

const LIMIT: &str = "one core: cutting the log into lines, searching each, and masking what is shown";

fn main() -> anyhow::Result<()> {
    let log = log();
    for (what, pattern, goal) in [
        ("a literal that few lines have; only those are masked", "deadline exceeded", "≥ 500"),
        ("a literal that every line has, so every line is masked", "level=", "≥ 150"),
        ("a pattern that looks around, so every line is masked before it is searched", r"\bdeadline\b", ""),
    ] {
        let best = (0..ROUNDS).map(|_| round(&log, pattern)).collect::<anyhow::Result<Vec<_>>>()?;
        let speed = best.into_iter().fold(0.0, f64::max);
        let figure = format!("log grep at the edge, 64 MiB of 150-byte lines, {what}");
        let line = serde_json::json!({
            "figure": figure, "value": speed, "unit": "MB/s", "goal": goal, "limit": LIMIT,
        });
        println!("{line}");
    }
    Ok(())
}

/// In megabytes a second.
fn round(log: &[u8], pattern: &str) -> anyhow::Result<f64> {
    let grep = Grep::new(pattern).map_err(anyhow::Error::msg).context("the pattern")?;
    let wanted = Wanted {
        grep: Some(grep),
        since_ns: None,
        until_ns: None,
        tail: 100,
        max_bytes: 64 << 10,
        beside: 0,
    };
    let mut reading = Reading::new(0, wanted);
    let began = Instant::now();
    log.chunks(PIECE_BYTES).for_each(|piece| reading.take(piece));
    reading.end();
    let took = began.elapsed().as_secs_f64();
    anyhow::ensure!(reading.matched() > 0, "{pattern} finds nothing");
    black_box(reading.lines_kept());
    Ok(log.len() as f64 / 1e6 / took)
}

/// Requests served, one in two hundred of which fails, and one in five hundred of which tells a credential.
fn log() -> Vec<u8> {
    let mut log = String::with_capacity(LOG_BYTES + 512);
    let mut number = 0_u64;
    while log.len() < LOG_BYTES {
        let (second, nano) = (number / 1_000 % 60, number % 1_000_000_000);
        let _ = write!(log, "2026-11-23T10:00:{second:02}.{nano:09}Z ");
        let _ = match number {
            n if n % 500 == 7 => writeln!(log, "level=debug msg=\"signing in\" user=u{n} password=hunter{n}"),
            n if n % 200 == 3 => {
                writeln!(
                    log,
                    "level=error msg=\"upstream request failed\" err=\"context deadline exceeded\" attempt={n}"
                )
            }
            n => writeln!(
                log,
                "level=info msg=\"request served\" method=GET path=/cart/{n}/items status=200 duration_ms={} request=r-{:016x}",
                n % 97,
                n.wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ),
        };
        number += 1;
    }
    log.into_bytes()
}
