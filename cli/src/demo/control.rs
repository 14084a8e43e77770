//! How a second terminal reaches a running demo: a socket in a folder of its owner, named after the gateway's port. A line
//! of JSON asks, a line answers.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use kubeplex_program::output;
use kubeplex_proto::pattern::Pattern;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::outage::{Act, Lines};
use crate::running::{folder, owned};

/// Both ends are on one machine, and what is asked takes no time.
const PATIENCE: Duration = Duration::from_secs(5);

/// More than any name, or list of names.
const MOST_BYTES: u64 = 64 * 1024;

/// What a second terminal asks for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) act: Act,
    pub(super) clusters: Vec<Pattern>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Reply {
    /// To these clusters.
    Done(Vec<String>),
    Refused(String),
}

/// Who reads what is done to the clusters.
#[derive(Debug, Clone, Copy)]
pub(super) enum Told {
    Person,
    Program,
}

/// The socket of a demo, gone when it is dropped.
#[derive(Debug)]
pub(super) struct Control {
    listener: UnixListener,
    path: PathBuf,
}

impl Control {
    /// For the demo whose gateway has this port. Nobody else can have it, so a socket of that name is left over.
    ///
    /// # Errors
    /// When there is no folder that is its owner's alone.
    pub(super) fn listen(port: u16) -> anyhow::Result<Self> {
        let path = owned(&folder().context("there is no home directory")?)?.join(name(port));
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("removing {}", path.display()));
            }
            _ => {}
        }
        let listener = UnixListener::bind(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Self { listener, path })
    }

    /// Does what is asked, one after the other.
    pub(super) async fn serve(self, lines: Arc<Lines>, told: Told) {
        loop {
            let served = async {
                let (stream, _) = self.listener.accept().await?;
                let served = tokio::time::timeout(PATIENCE, answer(stream, &lines, told)).await;
                served.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
            };
            if let Err(error) = served.await {
                tracing::warn!(%error, "`kubeplex demo cut` or `heal` got no answer");
                // Without it a socket that can't accept would take a core.
                tokio::task::yield_now().await;
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // Left over, it is in the way of nobody.
        let _ = fs::remove_file(&self.path);
    }
}

async fn answer(mut stream: UnixStream, lines: &Lines, told: Told) -> io::Result<()> {
    let order: Order = serde_json::from_str(&line(&mut stream).await?)?;
    let reply = match lines.act(order.act, &order.clusters) {
        Ok(clusters) => Reply::Done(clusters.iter().map(ToString::to_string).collect()),
        Err(problem) => Reply::Refused(problem),
    };
    if let (Told::Person, Reply::Done(clusters)) = (told, &reply) {
        output::note(&done(order.act, clusters));
    }
    stream.write_all(format!("{}\n", serde_json::to_string(&reply)?).as_bytes()).await
}

/// Asks the demo whose gateway has this port; returns what it did.
///
/// # Errors
/// When none runs there, or it refuses.
pub(super) async fn ask(port: u16, order: &Order) -> anyhow::Result<String> {
    let path = folder().context("there is no home directory")?.join(name(port));
    let asked = async {
        let mut stream = UnixStream::connect(&path).await?;
        stream.write_all(format!("{}\n", serde_json::to_string(order)?).as_bytes()).await?;
        let reply = serde_json::from_str(&line(&mut stream).await?)?;
        Ok::<Reply, io::Error>(reply)
    };
    let reply = tokio::time::timeout(PATIENCE, asked).await;
    let reply = reply.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).with_context(|| {
        format!("no demo answers at port {port}; start one with `kubeplex demo`, or name its --endpoint")
    })?;
    match reply {
        Reply::Done(clusters) => Ok(done(order.act, &clusters)),
        Reply::Refused(problem) => bail!("{problem}"),
    }
}

fn done(act: Act, clusters: &[String]) -> String {
    let lines: Vec<_> = clusters.iter().map(|cluster| format!("{cluster}: {act}")).collect();
    lines.join("\n")
}

async fn line(stream: &mut UnixStream) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(stream.take(MOST_BYTES)).read_line(&mut line).await?;
    Ok(line)
}

fn name(port: u16) -> String {
    format!("demo-{port}.sock")
}
