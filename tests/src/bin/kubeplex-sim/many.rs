//! Many seeds, each in a process of its own.

use std::process::{Command, ExitCode, Output};
use std::sync::atomic::{AtomicU64, Ordering};

/// Runs the seeds from the first, some at a time, and shows those that fail.
pub(crate) fn run(first: u64, count: u64, at_once: usize) -> ExitCode {
    let (next, failed) = (AtomicU64::new(first), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..at_once.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        return;
                    }
                    let output = play(seed).expect("this program runs once more");
                    if !output.status.success() {
                        failed.fetch_add(1, Ordering::Relaxed);
                        print!("{}", String::from_utf8_lossy(&output.stdout));
                        print!("{}", String::from_utf8_lossy(&output.stderr));
                        println!("seed {seed}: {}\n", output.status);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner();
    println!("{count} seeds from {first}: {} hold, {failed} fail", count - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn play(seed: u64) -> std::io::Result<Output> {
    Command::new(std::env::current_exe()?).args(["--seed", &seed.to_string()]).output()
}
