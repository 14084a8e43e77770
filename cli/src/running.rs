//! How programs of one person find each other: a file that says where the gateway of a kubeconfig listens.
//!
//! The file is a hint, never a proof: a process may have been killed, and its port be another's by now. So who reads it asks
//! the gateway for its instance, which is drawn at random when it starts. Only its owner can read or write the file, or put
//! one in its place: it may hold the token that the gateway wants to see.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use kubeplex_gateway::Gateway;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A gateway on this machine answers such a question at once, or is not well.
const PATIENCE: Duration = Duration::from_secs(2);

/// More than any of these files has.
const MOST_BYTES: u64 = 64 * 1024;

/// A gateway that runs, or ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Drawn at random when it started.
    pub instance: String,
    /// Where MCP clients connect.
    pub listen: SocketAddr,
    /// Where its health is served.
    pub admin: SocketAddr,
    pub pid: u32,
    pub started: Timestamp,
    /// What the gateway wants to see; `None` where it is open to everybody on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
}

/// A bearer token; never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

/// The file about the gateway of some contexts of some kubeconfig.
#[derive(Debug, Clone)]
pub struct Place {
    folder: PathBuf,
    name: String,
}

/// The file, for as long as a gateway of this process runs.
#[derive(Debug)]
pub struct Announced {
    place: Place,
    running: Running,
}

/// What is known of the file, and of the gateway that it is about.
#[derive(Debug)]
pub enum Found {
    /// It answers, and is the one.
    Alive(Running),
    /// It was written by a gateway that does not answer any more.
    Stale(Running),
    Nothing,
}

impl Place {
    /// For these files and these contexts (none: all), in the order in which they were named. `None` where there is no place
    /// for it: no home directory, or a folder that others can write to.
    pub fn of(files: &[PathBuf], contexts: &[String]) -> Option<Self> {
        let mut hash = Sha256::new();
        for file in files {
            // A file that is not there yet has no other name.
            let file = fs::canonicalize(file).or_else(|_| std::path::absolute(file)).ok()?;
            hash.update(file.as_os_str().as_encoded_bytes());
            hash.update([0]);
        }
        hash.update([0]);
        for context in contexts {
            hash.update(context.as_bytes());
            hash.update([0]);
        }
        let name: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let folder =
            owned(&folder()?).map_err(|error| tracing::warn!(%error, "gateways can't be found")).ok()?;
        Some(Self { folder, name: format!("{name}.json") })
    }

    pub fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    /// Reads the file and asks the gateway that it is about.
    pub async fn find(&self) -> Found {
        match self.read() {
            Some(running) if running.answers().await => Found::Alive(running),
            Some(running) => Found::Stale(running),
            None => Found::Nothing,
        }
    }

    /// Says where the gateway of this process is, until the value is dropped.
    pub fn announce(self, gateway: &Gateway, token: Option<Token>) -> Option<Announced> {
        let addresses = gateway.addresses();
        let running = Running {
            instance: gateway.instance().to_owned(),
            listen: addresses.listen,
            admin: addresses.admin,
            pid: std::process::id(),
            started: Timestamp::now(),
            token,
        };
        match self.write(&running) {
            Ok(()) => Some(Announced { place: self, running }),
            Err(error) => {
                tracing::warn!(%error, file = %self.path().display(), "others can't find this gateway");
                None
            }
        }
    }

    /// What is not its owner's alone is nobody's.
    fn read(&self) -> Option<Running> {
        let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        let file = OpenOptions::new().read(true).custom_flags(no_follow).open(self.path()).ok()?;
        let metadata = file.metadata().ok()?;
        if metadata.uid() != rustix::process::getuid().as_raw() || metadata.mode() & 0o077 != 0 {
            return None;
        }
        let mut text = String::new();
        file.take(MOST_BYTES).read_to_string(&mut text).ok()?;
        let running: Running = serde_json::from_str(&text).ok()?;
        // Whatever it says, nobody is sent to another machine.
        (running.listen.ip().is_loopback() && running.admin.ip().is_loopback()).then_some(running)
    }

    /// Whole or not at all.
    fn write(&self, running: &Running) -> io::Result<()> {
        let unfinished = self.folder.join(format!("{}.{}", self.name, std::process::id()));
        let mut file: File =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        file.write_all(serde_json::to_string(running)?.as_bytes())?;
        fs::rename(unfinished, self.path())
    }
}

impl Token {
    /// 32 random bytes in hexadecimal.
    pub fn random() -> Self {
        let bytes: [u8; 32] = rand::random();
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Running {
    /// Whether the gateway that wrote the file is there, and takes calls.
    async fn answers(&self) -> bool {
        let asked = async {
            let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().ok()?;
            let response = client.get(format!("http://{}/readyz", self.admin)).send().await.ok()?;
            let is_well = response.status().is_success();
            let readiness: serde_json::Value = response.json().await.ok()?;
            Some(is_well && readiness["instance"] == self.instance.as_str())
        };
        asked.await.unwrap_or(false)
    }
}

impl Drop for Announced {
    /// A gateway that started later has written the file anew, and keeps it.
    fn drop(&mut self) {
        if self.place.read().as_ref() == Some(&self.running) {
            // Left over, it is stale.
            let _ = fs::remove_file(self.place.path());
        }
    }
}

/// Where such files belong: with what lasts as long as the person is logged in, or else with their other state.
pub(crate) fn folder() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_RUNTIME_DIR").or_else(|| absolute("XDG_STATE_HOME"));
    let base = base.or_else(|| Some(std::env::home_dir()?.join(".local").join("state")))?;
    Some(base.join("kubeplex"))
}

/// Makes the folder where there is none; refuses one that somebody else could put a file into.
pub(crate) fn owned(folder: &Path) -> io::Result<PathBuf> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let metadata = fs::symlink_metadata(folder)?;
    let is_ours = metadata.is_dir() && metadata.uid() == rustix::process::getuid().as_raw();
    if !is_ours || metadata.mode() & 0o077 != 0 {
        let problem = format!("{} must be a folder that nobody else can open (chmod 700)", folder.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, problem));
    }
    Ok(folder.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn place(name: &str) -> Place {
        let folder = std::env::temp_dir().join(format!("kubeplex-running-{name}-{}", std::process::id()));
        Place { folder: owned(&folder).unwrap(), name: "x.json".to_owned() }
    }

    fn running(listen: &str) -> Running {
        let admin = "127.0.0.1:9".parse().unwrap();
        let started = Timestamp::UNIX_EPOCH;
        let (instance, listen) = ("i".to_owned(), listen.parse().unwrap());
        Running { instance, listen, admin, pid: 1, started, token: Some(Token("t".to_owned())) }
    }

    #[tokio::test]
    async fn what_a_gateway_left_behind_is_stale() {
        let place = place("stale");
        assert!(matches!(place.find().await, Found::Nothing));
        place.write(&running("127.0.0.1:9")).unwrap();
        assert!(matches!(place.find().await, Found::Stale(left) if left == running("127.0.0.1:9")));
        fs::remove_dir_all(&place.folder).unwrap();
    }

    #[test]
    fn only_a_file_of_ones_own_about_this_machine_is_believed() {
        let place = place("own");
        place.write(&running("127.0.0.1:9")).unwrap();
        assert_eq!(fs::metadata(place.path()).unwrap().mode() & 0o777, 0o600);
        assert!(place.read().is_some());
        fs::set_permissions(place.path(), PermissionsExt::from_mode(0o640)).unwrap();
        assert!(place.read().is_none(), "others can read it");
        fs::remove_file(place.path()).unwrap();
        place.write(&running("192.0.2.1:9")).unwrap();
        assert!(place.read().is_none(), "another machine");
        let other = place.folder.join("other");
        fs::rename(place.path(), &other).unwrap();
        std::os::unix::fs::symlink(&other, place.path()).unwrap();
        assert!(place.read().is_none(), "a link");
        fs::set_permissions(&place.folder, PermissionsExt::from_mode(0o750)).unwrap();
        assert!(owned(&place.folder).is_err(), "others can open the folder");
        fs::remove_dir_all(&place.folder).unwrap();
    }

    #[test]
    fn a_newer_file_is_not_its_predecessors_to_remove() {
        let place = place("newer");
        place.write(&running("127.0.0.1:9")).unwrap();
        let announced = Announced { place: place.clone(), running: running("127.0.0.1:9") };
        place.write(&running("127.0.0.1:10")).unwrap();
        drop(announced);
        assert_eq!(place.read(), Some(running("127.0.0.1:10")));
        drop(Announced { place: place.clone(), running: running("127.0.0.1:10") });
        assert!(!place.path().exists());
        fs::remove_dir_all(&place.folder).unwrap();
    }
}
