//! Builds the three programs from their Go modules, and only when the sources have changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

use super::paths;
use super::progress::Progress;

const GO_IS_MISSING: &str = "Go is not installed: there is no `go` on the PATH. The control plane of the tests is built from source \
     by Go 1.26.4 or newer; install it (https://go.dev/dl, or your system's package) and run this again";

/// What is built from one module.
struct Program {
    /// The folder with the `go.mod`.
    module: PathBuf,
    /// The package, as `go build` names it.
    package: &'static str,
    /// The file it becomes.
    output: PathBuf,
    /// `VARIABLE=VALUE` pairs, set when linking.
    variables: Vec<String>,
}

/// Builds what is not up to date, and says from what all of it was built.
///
/// # Errors
/// Go is missing or too old, a module cannot be had, or a build failed; what Go said is on stderr by then.
pub(crate) fn build() -> anyhow::Result<String> {
    let go = go_version()?;
    fs::create_dir_all(paths::bin())?;
    let progress = Progress::start();
    let mut built_from = Sha256::new();
    for program in [controlplane()?, kwok()?, metrics_server()?] {
        let stamp = program.stamp(&go)?;
        program.build_unless(&stamp, &progress)?;
        built_from.update(stamp);
    }
    Ok(hex(&built_from.finalize()))
}

impl Program {
    fn build_unless(&self, stamp: &str, progress: &Progress) -> anyhow::Result<()> {
        let stamp_file = self.output.with_extension("stamp");
        let built = fs::read_to_string(&stamp_file).is_ok_and(|built| built == stamp);
        if built && self.output.is_file() {
            return Ok(());
        }
        progress.step("build", &format!("{} (six minutes and more from nothing, on two cores)", self.name()));
        self.build()?;
        progress.step("build", &format!("{} is built", self.name()));
        fs::write(&stamp_file, stamp).with_context(|| format!("write {}", stamp_file.display()))
    }

    fn build(&self) -> anyhow::Result<()> {
        let link = self.variables.iter().fold("-s -w".to_owned(), |flags, pair| format!("{flags} -X {pair}"));
        let status = Command::new("go")
            .current_dir(&self.module)
            .args(["build", "-trimpath", "-buildvcs=false", "-ldflags", &link, "-o"])
            .arg(&self.output)
            .arg(self.package)
            .status()
            .context("run go build")?;
        if !status.success() {
            bail!("go build of {} in {} failed: {status}", self.package, self.module.display());
        }
        Ok(())
    }

    /// A digest of everything that the program depends on.
    fn stamp(&self, go: &str) -> anyhow::Result<String> {
        let mut digest = Sha256::new();
        digest.update(go);
        digest.update(self.variables.join("\n"));
        for file in sources(&self.module)? {
            digest.update(file.strip_prefix(&self.module).unwrap_or(&file).display().to_string());
            digest.update(fs::read(&file).with_context(|| format!("read {}", file.display()))?);
        }
        Ok(hex(&digest.finalize()))
    }

    fn name(&self) -> String {
        self.output.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

fn controlplane() -> anyhow::Result<Program> {
    let module = paths::sources();
    let version = required_version(&module, "k8s.io/kubernetes")?;
    let mut numbers = version.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next().unwrap_or("0"), numbers.next().unwrap_or("0"));
    // Without these /version would say v0.0.0-master+$Format:%H$.
    let package = "k8s.io/component-base/version";
    let variables = vec![
        format!("{package}.gitVersion={version}"),
        format!("{package}.gitMajor={major}"),
        format!("{package}.gitMinor={minor}"),
        format!("{package}.gitTreeState=clean"),
    ];
    Ok(Program { module, package: ".", output: paths::controlplane(), variables })
}

fn kwok() -> anyhow::Result<Program> {
    let module = paths::sources().join("kwok");
    let version = required_version(&module, "sigs.k8s.io/kwok")?;
    let variables = vec![format!("sigs.k8s.io/kwok/pkg/consts.Version={version}")];
    Ok(Program { module, package: "sigs.k8s.io/kwok/cmd/kwok", output: paths::kwok(), variables })
}

fn metrics_server() -> anyhow::Result<Program> {
    let module = paths::sources().join("metrics-server");
    let version = required_version(&module, "sigs.k8s.io/metrics-server")?;
    let variables = vec![format!("k8s.io/client-go/pkg/version.gitVersion={version}")];
    let package = "sigs.k8s.io/metrics-server/cmd/metrics-server";
    Ok(Program { module, package, output: paths::metrics_server(), variables })
}

fn go_version() -> anyhow::Result<String> {
    match Command::new("go").arg("version").output() {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(output) => bail!("go version failed: {}", String::from_utf8_lossy(&output.stderr).trim()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => bail!(GO_IS_MISSING),
        Err(error) => Err(error).context("run go version"),
    }
}

fn required_version(module: &Path, dependency: &str) -> anyhow::Result<String> {
    let file = module.join("go.mod");
    let text = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    find_version(&text, dependency)
        .map(str::to_owned)
        .with_context(|| format!("{} does not require {dependency}", file.display()))
}

/// The version in a `require` line of a go.mod, in a block or on its own.
fn find_version<'a>(go_mod: &'a str, dependency: &str) -> Option<&'a str> {
    go_mod.lines().find_map(|line| {
        let mut words = line.trim().trim_start_matches("require ").split_whitespace();
        (words.next() == Some(dependency)).then(|| words.next())?
    })
}

/// The files of a module: its own folder, but for nested modules and what only a person reads.
fn sources(module: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![module.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                if !path.join("go.mod").exists() {
                    folders.push(path);
                }
            } else if path.extension().is_none_or(|extension| extension != "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_a_block_and_on_a_line_of_its_own() {
        let block = "require (\n\tk8s.io/kubectl v0.37.2 // indirect\n\tk8s.io/kubernetes v1.37.2\n)\n";
        assert_eq!(find_version(block, "k8s.io/kubernetes"), Some("v1.37.2"));
        assert_eq!(find_version("require sigs.k8s.io/kwok v0.8.0\n", "sigs.k8s.io/kwok"), Some("v0.8.0"));
        assert_eq!(find_version(block, "k8s.io/kube"), None);
    }

    #[test]
    fn the_modules_of_the_tests_name_their_versions() {
        assert!(controlplane().unwrap().variables[0].contains(".gitVersion=v1."));
        assert!(kwok().unwrap().variables[0].contains("=v0."));
        assert!(metrics_server().unwrap().variables[0].contains("=v0."));
    }

    #[test]
    fn a_stamp_covers_the_seed_but_not_the_nested_module() {
        let sources = sources(&paths::sources()).unwrap();
        assert!(sources.iter().any(|file| file.ends_with("seed/10-rbac.yaml")));
        assert!(!sources.iter().any(|file| file.ends_with("kwok/go.mod")));
    }
}
