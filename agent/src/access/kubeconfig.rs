//! Which files are the kubeconfig, and what is in them together.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use kube::config::{Kubeconfig, KubeconfigError};

/// Where a person's kubeconfig may be.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// What `KUBECONFIG` says: a list of files.
    pub variable: Option<OsString>,
    pub home: Option<PathBuf>,
}

/// Why there is no kubeconfig.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("there is no kubeconfig: no home directory is known")]
    NoHome,
    #[error("the kubeconfig {} can't be read", file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    #[error("none of the files that KUBECONFIG names is there: {}", listed(files))]
    AllMissing { files: Vec<PathBuf> },
    #[error("the kubeconfig {} can't be understood", file.display())]
    Malformed { file: PathBuf, source: Box<KubeconfigError> },
}

impl Places {
    /// As the environment of this process has them.
    pub fn of_environment() -> Self {
        Self { variable: std::env::var_os("KUBECONFIG"), home: std::env::home_dir() }
    }

    /// The files that kubectl would read, in its order: `named` alone, or those of `KUBECONFIG`, or the one in the home
    /// directory.
    ///
    /// # Errors
    /// When nothing is named and there is no home directory.
    pub fn files(&self, named: Option<&Path>) -> Result<Vec<PathBuf>, ReadError> {
        if let Some(named) = named {
            return Ok(vec![self.expanded(named)]);
        }
        let listed = self.variable.iter().flat_map(std::env::split_paths);
        let listed: Vec<_> = listed.filter(|file| !file.as_os_str().is_empty()).collect();
        if !listed.is_empty() {
            return Ok(listed);
        }
        let home = self.home.as_deref().ok_or(ReadError::NoHome)?;
        Ok(vec![home.join(".kube").join("config")])
    }

    /// `~` at the start of a path that no shell has seen, as in `--kubeconfig=~/.kube/prod`.
    fn expanded(&self, file: &Path) -> PathBuf {
        match (file.strip_prefix("~"), &self.home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => file.to_owned(),
        }
    }
}

/// Reads files into one kubeconfig: of two entries with one name the first counts, whole. Paths in a file are relative to
/// it. Of several files, those that are not there are left out, as kubectl does.
///
/// # Errors
/// [`ReadError`] for the first file that is no use.
pub fn read(files: &[PathBuf]) -> Result<Kubeconfig, ReadError> {
    let mut merged: Option<Kubeconfig> = None;
    for file in files {
        let read = match read_one(file) {
            Ok(read) => read,
            Err(KubeconfigError::ReadConfig(source, _))
                if files.len() > 1 && source.kind() == io::ErrorKind::NotFound =>
            {
                tracing::debug!(file = %file.display(), "a file of KUBECONFIG is not there");
                continue;
            }
            Err(KubeconfigError::ReadConfig(source, _)) => {
                return Err(ReadError::Unreadable { file: file.clone(), source });
            }
            Err(source) => return Err(malformed(file, source)),
        };
        merged = Some(match merged {
            None => read,
            Some(before) => before.merge(read).map_err(|source| malformed(file, source))?,
        });
    }
    merged.ok_or_else(|| ReadError::AllMissing { files: files.to_vec() })
}

/// As kube reads it, but for UTF-16 that was cut between the two bytes of a unit: kube panics over that.
fn read_one(file: &Path) -> Result<Kubeconfig, KubeconfigError> {
    let cut = is_cut_utf16(file).and_then(|cut| {
        let problem = "it is UTF-16 that ends in the middle of a character";
        if cut { Err(io::Error::new(io::ErrorKind::InvalidData, problem)) } else { Ok(()) }
    });
    cut.map_err(|source| KubeconfigError::ReadConfig(source, file.to_owned()))?;
    Kubeconfig::read_from(file)
}

/// Pipes, as of a shell's `<(…)`, are left alone: they can be read but once.
fn is_cut_utf16(file: &Path) -> io::Result<bool> {
    let metadata = std::fs::metadata(file)?;
    if !metadata.is_file() || metadata.len() % 2 == 0 || metadata.len() < 3 {
        return Ok(false);
    }
    let mut mark = [0; 2];
    File::open(file)?.read_exact(&mut mark)?;
    Ok(matches!(mark, [0xFF, 0xFE] | [0xFE, 0xFF]))
}

fn malformed(file: &Path, source: KubeconfigError) -> ReadError {
    ReadError::Malformed { file: file.to_owned(), source: Box::new(source) }
}

fn listed(files: &[PathBuf]) -> String {
    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("kubeplex-kubeconfig-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_file_as_windows_writes_it_is_read_and_one_that_was_cut_is_said() {
        let file = folder("utf16").join("config");
        let whole: Vec<u8> =
            "\u{feff}contexts: [{name: a}]".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (bytes, problem) in [
            (&whole[..], None),
            (&whole[..whole.len() - 1], Some("ends in the middle of a character")),
            (&[0xFE, 0xFF, 0], Some("ends in the middle of a character")),
            (&[0xFF], Some("Invalid UTF-8")),
        ] {
            std::fs::write(&file, bytes).unwrap();
            match (read(std::slice::from_ref(&file)), problem) {
                (Ok(read), None) => assert_eq!(read.contexts.len(), 1),
                (Err(ReadError::Unreadable { source, .. }), Some(problem)) => {
                    assert!(source.to_string().contains(problem), "{source}");
                }
                (read, problem) => panic!("{read:?} instead of {problem:?}"),
            }
        }
    }

    #[test]
    fn the_files_are_those_of_kubectl() {
        let places =
            |variable: &str| Places { variable: Some(variable.into()), home: Some("/home/me".into()) };
        let files = |places: &Places, named: Option<&str>| {
            let files = places.files(named.map(Path::new)).unwrap();
            files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(files(&places("/a:b::~/c"), None), ["/a", "b", "~/c"]);
        assert_eq!(files(&places("/a"), Some("f")), ["f"]);
        assert_eq!(files(&places(""), Some("~/f")), ["/home/me/f"]);
        assert_eq!(files(&places(""), Some("~me/f")), ["~me/f"]);
        assert_eq!(files(&places(":"), None), ["/home/me/.kube/config"]);
        assert!(matches!(Places::default().files(None), Err(ReadError::NoHome)));
    }

    #[test]
    fn the_first_file_wins_missing_ones_are_skipped_and_paths_are_relative_to_their_file() {
        let folder = folder("merge");
        let (first, second) = (folder.join("first"), folder.join("deep").join("second"));
        std::fs::create_dir_all(folder.join("deep")).unwrap();
        std::fs::write(
            &first,
            "current-context: a\ncontexts: [{name: a, context: {cluster: one, user: me}}]\n\
             clusters: [{name: one, cluster: {server: 'https://first', certificate-authority: ca.pem}}]",
        )
        .unwrap();
        std::fs::write(
            &second,
            "current-context: b\ncontexts: [{name: b, context: {cluster: two, user: me}}]\n\
             clusters: [{name: one, cluster: {server: 'https://other'}},\n\
             {name: two, cluster: {server: 'https://second', certificate-authority: ../ca.pem}}]\n\
             users: [{name: me, user: {client-key: me.key, tokenFile: /abs/token, exec: {command: ./plugin}}}]",
        )
        .unwrap();
        let merged = read(&[folder.join("missing"), first, second]).unwrap();
        let cluster = |at: usize| merged.clusters[at].cluster.clone().unwrap();
        let text = |path: &str| Some(folder.join(path).display().to_string());
        assert_eq!(merged.current_context.as_deref(), Some("a"));
        assert_eq!((merged.clusters.len(), merged.contexts.len()), (2, 2));
        assert_eq!(cluster(0).server.as_deref(), Some("https://first"));
        assert_eq!(cluster(0).certificate_authority, text("ca.pem"));
        assert_eq!(cluster(1).certificate_authority, text("deep/../ca.pem"));
        let me = merged.auth_infos[0].auth_info.clone().unwrap();
        assert_eq!(me.client_key, text("deep/me.key"));
        assert_eq!(me.token_file.as_deref(), Some("/abs/token"));
        assert_eq!(me.exec.unwrap().command, text("deep/./plugin"));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_can_not_be_read_is_named() {
        let missing = PathBuf::from("/no/such/file");
        let error = read(std::slice::from_ref(&missing)).unwrap_err();
        assert_eq!(error.to_string(), "the kubeconfig /no/such/file can't be read");
        let error = read(&[missing.clone(), missing]).unwrap_err().to_string();
        assert_eq!(error, "none of the files that KUBECONFIG names is there: /no/such/file, /no/such/file");
        let folder = folder("broken");
        std::fs::write(folder.join("broken"), "contexts: [").unwrap();
        let error = read(&[folder.join("broken")]).unwrap_err().to_string();
        assert!(error.ends_with("broken can't be understood"), "{error}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
