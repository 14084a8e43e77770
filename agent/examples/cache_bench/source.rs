//! The objects, made in a process of their own and read from a pipe as they are needed.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::str::FromStr;

use anyhow::{Context, bail, ensure};

use super::SEED;
use super::fixture::Cluster;

/// One pod in so many has changed when the list is read again.
const CHANGED: usize = 100;

/// A list that the API server could send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    Pods,
    /// The pods as they are some time later.
    PodsAgain,
    Nodes,
}

impl FromStr for Page {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        Ok(match text {
            "pods" => Self::Pods,
            "pods-again" => Self::PodsAgain,
            "nodes" => Self::Nodes,
            _ => bail!("{text:?} is no list: pods, pods-again or nodes are"),
        })
    }
}

/// Writes a list to standard output, an object a line.
pub(crate) fn write(page: Page, pods: usize) -> anyhow::Result<()> {
    let cluster = Cluster::new(SEED, pods);
    let objects: Box<dyn Iterator<Item = Vec<u8>>> = match page {
        Page::Pods => Box::new(cluster.pods()),
        Page::PodsAgain => Box::new((0..pods).map(|at| changed(&cluster, at))),
        Page::Nodes => Box::new(cluster.nodes()),
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    for object in objects {
        out.write_all(&object)?;
        out.write_all(b"\n")?;
    }
    out.flush().context("writing objects")
}

/// A pod as it is when the list is read again.
fn changed(cluster: &Cluster, at: usize) -> Vec<u8> {
    let mut pod = cluster.pod(at);
    if at.is_multiple_of(CHANGED) {
        pod["metadata"]["resourceVersion"] = "999999999".into();
        pod["status"]["containerStatuses"][0]["restartCount"] = 7.into();
    }
    pod.to_string().into_bytes()
}

/// The process that makes a list.
pub(crate) struct Source {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Source {
    pub(crate) fn start(page: Page, pods: usize) -> anyhow::Result<Self> {
        let page = match page {
            Page::Pods => "pods",
            Page::PodsAgain => "pods-again",
            Page::Nodes => "nodes",
        };
        let mut child = Command::new(std::env::current_exe().context("finding this program")?)
            .args(["--source", page, &pods.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .context("starting the source of objects")?;
        let lines = BufReader::new(child.stdout.take().context("the source has no output")?);
        Ok(Self { child, lines })
    }

    /// The next objects, at most so many; none at the end.
    pub(crate) fn next(&mut self, most: usize) -> anyhow::Result<Vec<Vec<u8>>> {
        let mut objects = Vec::with_capacity(most);
        while objects.len() < most {
            let mut line = Vec::new();
            if self.lines.read_until(b'\n', &mut line).context("reading objects")? == 0 {
                ensure!(self.child.wait()?.success(), "the source of objects failed");
                break;
            }
            line.pop();
            line.shrink_to_fit();
            objects.push(line);
        }
        Ok(objects)
    }
}
