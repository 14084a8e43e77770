//! `kubeplex stdio`: MCP over standard input and output, for clients that start a process.
//!
//! One JSON-RPC message a line, and nothing else on standard output. The process is a bridge to a gateway's HTTP endpoint:
//! that of a `kubeplex local` with the same kubeconfig and contexts, where one runs, and otherwise one of its own, which
//! others can then join. So a machine on which three clients start it watches each cluster once.

mod bridge;
mod events;
mod gateways;
mod lines;
mod message;
mod reply;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use futures::StreamExt as _;
use kubeplex_program::signals::StopSignals;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

use crate::arguments::Stdio;
use crate::local::contexts;
use bridge::{Bridge, Line};
use gateways::Gateways;
use message::{UNANSWERED, failure};

/// More than a gateway accepts.
const LONGEST_LINE: usize = 8 * 1024 * 1024;

/// Answers that wait for the client to read them.
const UNREAD: usize = 64;

/// What is still asked when the input ends is answered within so long, or not at all.
const LAST_ANSWERS: Duration = Duration::from_secs(30);

/// # Errors
/// When the kubeconfig can't be read, names no such context, or signals can't be received.
pub async fn run(options: Stdio) -> anyhow::Result<ExitCode> {
    let mut signals = StopSignals::listen().context("listening for signals")?;
    let read = contexts::read(options.contexts.kubeconfig.as_deref())?;
    // What is wrong with the command line is said at once, not with the first message.
    contexts::select(&read.kubeconfig, &options.contexts.context)?;
    let (out, lines) = mpsc::channel(UNREAD);
    let bridge = Bridge::new(Gateways::new(read, options.contexts), out)?;
    tokio::select! {
        () = serve(&bridge) => {}
        // Whoever takes no answers needs none.
        () = write(lines) => {}
        () = signals.next() => {}
    }
    tokio::select! {
        () = bridge.end() => Ok(ExitCode::SUCCESS),
        () = signals.next() => Ok(ExitCode::FAILURE),
    }
}

/// Takes in lines until there are none, and waits for the answers.
async fn serve(bridge: &Bridge) {
    let mut lines = lines::lines(tokio::io::stdin(), LONGEST_LINE);
    while let Some(line) = lines.next().await {
        match line {
            Ok(Ok(line)) if line.trim().is_empty() => {}
            Ok(Ok(line)) => bridge.take(&line).await,
            Ok(Err(bad)) => {
                bridge.say(&failure(&serde_json::Value::Null, UNANSWERED, &bad.to_string())).await;
            }
            Err(error) => {
                tracing::warn!(%error, "standard input can't be read");
                break;
            }
        }
    }
    bridge.last_answers(LAST_ANSWERS).await;
}

/// Writes lines to standard output until nobody takes them.
async fn write(mut lines: mpsc::Receiver<Line>) {
    let mut stdout = tokio::io::stdout();
    while let Some(line) = lines.recv().await {
        let mut line = match line {
            Line::Message(line) => line,
            Line::Flushed(told) => {
                // Who asked may have stopped waiting.
                let _ = told.send(());
                continue;
            }
        };
        line.push('\n');
        if stdout.write_all(line.as_bytes()).await.is_err() || stdout.flush().await.is_err() {
            return;
        }
    }
}
