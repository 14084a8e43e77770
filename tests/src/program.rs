//! The programs as processes: started, listened to, and ended in every way that processes end.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::wait;

/// A running program; it is killed when this is dropped.
pub struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    log: PathBuf,
}

/// A folder of one test, gone when it is dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

/// The path of one of the workspace's programs: they lie beside the folder of the tests themselves.
///
/// # Panics
/// When it is not built.
pub fn path(name: &str) -> PathBuf {
    let tests = std::env::current_exe().expect("the path of this test");
    // Programs lie there themselves, and tests in a folder beside them.
    let folder = tests.parent().expect("a target directory");
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    let path = folder.join(name);
    assert!(path.exists(), "{} is not built; `cargo test --workspace` builds it", path.display());
    path
}

/// Runs a program to its end.
///
/// # Panics
/// When it can't be started, or does not end.
pub async fn run(name: &str, arguments: &[&str], input: &str) -> Output {
    let mut child = command(name, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("its standard input");
    // A program that does not read its input may be gone already.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let ended = tokio::time::timeout(wait::PATIENCE, child.wait_with_output()).await;
    ended.unwrap_or_else(|_| panic!("{name} {arguments:?} does not end")).expect("its output")
}

/// What decides where programs look, whom they ask and what they say.
const NOT_INHERITED: [&str; 11] = [
    "KUBECONFIG",
    "KUBEPLEX_ENDPOINT",
    "KUBEPLEX_TOKEN",
    "KUBEPLEX_LOG",
    "KUBEPLEX_LOG_FORMAT",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// A program that is not started yet.
pub fn command(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(path(name));
    command.args(arguments).kill_on_drop(true);
    // What the person running the tests has set must not decide what they see.
    for variable in NOT_INHERITED {
        command.env_remove(variable);
    }
    command.env("XDG_RUNTIME_DIR", runtime());
    command
}

/// Where programs of the suite find each other, and not those of the person who runs it.
fn runtime() -> PathBuf {
    let tests = std::env::current_exe().expect("the path of this test");
    let folder = tests.ancestors().nth(2).expect("a target directory").join("suite-runtime");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

impl Program {
    /// Starts a program of the workspace, or the one at an absolute path, that keeps running; its log goes into `folder`.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn start(name: &str, arguments: &[&str], environment: &[(&str, &str)], folder: &Folder) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let file = Path::new(name).file_name().unwrap_or_default().display();
        let log = folder.path(&format!("{file}-{}.log", COUNT.fetch_add(1, Ordering::Relaxed)));
        let mut child = command(name, arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).expect("a log file"))
            .spawn()
            .expect("the program starts");
        let stdout = child.stdout.take().expect("its standard output");
        Self { child, lines: BufReader::new(stdout).lines(), log }
    }

    /// The next line on its standard output.
    ///
    /// # Panics
    /// When none comes.
    pub async fn line(&mut self) -> String {
        let line = tokio::time::timeout(wait::PATIENCE, self.lines.next_line()).await;
        match line {
            Ok(Ok(Some(line))) => line,
            other => panic!("no line from the program ({other:?}); its log: {}", self.log()),
        }
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("the log")
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Ends it without asking.
    pub async fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.ended().await;
    }

    /// The process it is.
    ///
    /// # Panics
    /// When it has ended.
    pub fn id(&self) -> u32 {
        self.child.id().expect("it is running")
    }

    /// Sends a signal to it.
    pub fn signal(&self, signal: Signal) {
        let id = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())).expect("it is running");
        kill_process(id, signal).expect("the signal");
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn ended(&mut self) -> ExitStatus {
        let ended = tokio::time::timeout(wait::PATIENCE, self.child.wait()).await;
        let ended = ended.unwrap_or_else(|_| panic!("the program does not end; its log: {}", self.log()));
        ended.expect("its status")
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("its status").is_none()
    }
}

impl Folder {
    /// A new and empty one.
    ///
    /// # Panics
    /// When it can't be made.
    #[expect(clippy::new_without_default, reason = "it makes a folder on disk")]
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("kubeplex-suite-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder for the test");
        Self(folder)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file into it, and returns its path.
    ///
    /// # Panics
    /// When it can't be written.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).expect("a file of the test");
        as_text(&path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Left over, it is in the way of nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn as_text(path: &Path) -> String {
    path.to_str().expect("a path in UTF-8").to_owned()
}
