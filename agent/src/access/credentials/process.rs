//! Runs a program that may hang, leave children behind, or print without an end.

use std::io;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};

use crate::limits::{PLUGIN_MESSAGE_BYTES, PLUGIN_OUTPUT_BYTES};

/// What a program left when it ended.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    /// One byte more than the limit where there was more.
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

/// Everything that was started with a program: killed when this is dropped before the program's end was seen.
struct Group(Option<Pid>);

/// Runs a program to its end, without an input and without a terminal to read from. Dropping the future kills it, and
/// whatever it started that stayed in its process group.
///
/// # Errors
/// When it can't be started, or its output not be read.
pub(super) async fn run(mut command: Command) -> io::Result<Ended> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // In a group of its own, which is not the terminal's: reading from the terminal would stop it, not ask anybody.
    let mut child = command.process_group(0).kill_on_drop(true).spawn()?;
    let mut group = Group::of(&child);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr, status) = tokio::try_join!(
        read(stdout, PLUGIN_OUTPUT_BYTES + 1),
        read(stderr, PLUGIN_MESSAGE_BYTES),
        child.wait(),
    )?;
    group.0 = None;
    Ok(Ended { status, stdout, stderr })
}

/// Up to `most` bytes; what comes after them is thrown away, so that nobody waits for it to be taken.
async fn read(pipe: Option<impl AsyncRead + Unpin>, most: usize) -> io::Result<Vec<u8>> {
    let mut read = Vec::new();
    let Some(mut pipe) = pipe else { return Ok(read) };
    (&mut pipe).take(most as u64).read_to_end(&mut read).await?;
    tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await?;
    Ok(read)
}

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| Pid::from_raw(id.cast_signed())))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // It fails where all of them are gone already.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn output_is_read_up_to_the_limit_and_nobody_is_blocked_by_the_rest() {
        let ended =
            run(shell("head -c 3000000 /dev/zero; head -c 100000 /dev/zero >&2; exit 3")).await.unwrap();
        assert_eq!(ended.status.code(), Some(3));
        assert_eq!(ended.stdout.len(), PLUGIN_OUTPUT_BYTES + 1);
        assert_eq!(ended.stderr.len(), PLUGIN_MESSAGE_BYTES);
        let asks = run(shell("read line || echo nobody")).await.unwrap();
        assert_eq!(asks.stdout, b"nobody\n", "there is nothing to read");
    }

    #[tokio::test]
    async fn what_a_program_started_ends_with_it() {
        let folder = std::env::temp_dir().join(format!("kubeplex-group-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let children = folder.join("children");
        let script = format!("sleep 600 & echo $! $$ > {0}.new; mv {0}.new {0}; wait", children.display());
        let mut running = tokio::task::JoinSet::new();
        running.spawn(run(shell(&script)));
        let ids = loop {
            match std::fs::read_to_string(&children) {
                Ok(ids) => break ids,
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        };
        running.shutdown().await;
        for id in ids.split_whitespace() {
            let lives = || {
                let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
                // One that nobody has waited for yet is dead, too.
                !stat.is_empty() && !stat.contains(") Z ")
            };
            let gone = async {
                while lives() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            assert!(tokio::time::timeout(Duration::from_secs(20), gone).await.is_ok(), "{id} still runs");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
