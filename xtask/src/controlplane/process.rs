//! Processes that outlive this one: started in groups of their own, found again by their ids.

use std::fs::{self, File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process_group};

use super::state::Component;

/// How often the end of a process is looked for.
pub(crate) const POLL: Duration = Duration::from_millis(50);

/// After this a process that was asked to end is made to.
const GRACE: Duration = Duration::from_secs(15);

/// How much of a log goes into an error.
const TAIL_LINES: usize = 12;

/// Starts a program whose output goes to the end of `log`.
///
/// # Errors
/// The log cannot be opened, or the program not started.
pub(crate) fn spawn(command: &[String], log: &Path) -> anyhow::Result<Child> {
    let [program, arguments @ ..] = command else { bail!("there is no program to start") };
    let output = append_to(log)?;
    Command::new(program)
        .args(arguments)
        // Inside a pod the components would find that pod's own cluster.
        .env_remove("KUBERNETES_SERVICE_HOST")
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .process_group(0)
        .spawn()
        .with_context(|| format!("start {program}"))
}

/// Asks the group of a component to end, makes it after a while, and returns when it is gone.
///
/// # Errors
/// It could not be signalled, or is there even so.
pub(crate) fn stop(component: &Component) -> anyhow::Result<()> {
    for signal in [Signal::TERM, Signal::KILL] {
        if !component.is_running() {
            return Ok(());
        }
        signal_group(component.pid, signal)?;
        let asked = Instant::now();
        while component.is_running() && asked.elapsed() < GRACE {
            std::thread::sleep(POLL);
        }
    }
    if component.is_running() {
        bail!("{} (pid {}) does not end", component.name, component.pid);
    }
    Ok(())
}

/// Whether a process with this id runs this program. One that has ended and was not yet waited for does not.
#[cfg(target_os = "linux")]
pub(crate) fn is_running(pid: u32, program: &str) -> bool {
    // The command line would say it too, but is still empty for a moment after a start.
    let Ok(running) = fs::read_link(format!("/proc/{pid}/exe")) else { return false };
    let program = fs::canonicalize(program).unwrap_or_else(|_| program.into());
    running.to_string_lossy().trim_end_matches(" (deleted)") == program.to_string_lossy()
}

/// Whether a process with this id runs this program.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_running(pid: u32, program: &str) -> bool {
    let listed = Command::new("ps").args(["-p", &pid.to_string(), "-o", "args="]).output();
    listed.is_ok_and(|ps| ps.status.success() && ps.stdout.starts_with(program.as_bytes()))
}

/// Memory in bytes, where the system says it: what is shared, as the pages of one program are, counts in parts.
pub(crate) fn memory_bytes(pid: u32) -> Option<u64> {
    let sizes = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = sizes.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The last lines of a log, for an error.
pub(crate) fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

fn append_to(log: &Path) -> anyhow::Result<File> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    }
    OpenOptions::new().create(true).append(true).open(log).with_context(|| format!("open {}", log.display()))
}

fn signal_group(pid: u32, signal: Signal) -> anyhow::Result<()> {
    let group = i32::try_from(pid).ok().and_then(Pid::from_raw).context("a process id of 0")?;
    match kill_process_group(group, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("signal the process group {pid}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(folder: &Path) -> (Child, Component) {
        let command: Vec<String> = ["/bin/sleep", "300"].map(str::to_owned).into();
        let log = folder.join("sleeper.log");
        let child = spawn(&command, &log).unwrap();
        let component = Component { name: "sleeper".into(), pid: child.id(), command, log };
        (child, component)
    }

    #[test]
    fn a_component_is_found_by_its_id_and_stopped_with_its_group() {
        let folder = std::env::temp_dir().join(format!("xtask-process-{}", std::process::id()));
        let (mut child, component) = sleeper(&folder);
        assert!(component.is_running());
        assert!(!is_running(component.pid, "/another/program"));
        stop(&component).unwrap();
        assert!(!component.is_running());
        assert!(!child.wait().unwrap().success());
        stop(&component).unwrap();
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_tail_is_the_end_of_the_log() {
        let log = std::env::temp_dir().join(format!("xtask-tail-{}.log", std::process::id()));
        let lines: Vec<String> = (0..100).map(|line| format!("line {line}")).collect();
        fs::write(&log, lines.join("\n")).unwrap();
        let tail = tail(&log);
        fs::remove_file(log).unwrap();
        assert!(tail.starts_with("line 88\n"), "{tail}");
        assert!(tail.ends_with("line 99"), "{tail}");
    }
}
