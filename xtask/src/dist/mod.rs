//! `cargo xtask dist`: the programs as they are shipped. Each is one static file without symbols, and no larger than it may be;
//! the release workflow calls this once a platform.

mod elf;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};
use sha2::{Digest, Sha256};

/// A program, by the name of its package and its binary.
struct Program {
    name: &'static str,
    most_bytes: Option<u64>,
}

/// The agent is in every cluster, and every node that it may come to pulls it.
const PROGRAMS: [Program; 3] = [
    Program { name: "kubeplex", most_bytes: None },
    Program { name: "kubeplex-gateway", most_bytes: None },
    Program { name: "kubeplex-agent", most_bytes: Some(20_000_000) },
];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The platform, as in x86_64-unknown-linux-musl. Otherwise this machine's: with glibc that does to measure, but a static
    /// program of glibc finds no host by its name
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
    /// Only this program
    #[arg(long, value_name = "NAME", value_parser = PROGRAMS.map(|program| program.name))]
    only: Option<String>,
}

/// Builds, checks, and puts what passed into `target/shipped`, each as NAME-TRIPLE, with their checksums in SHA256SUMS-TRIPLE.
///
/// # Errors
/// A build failed, or a program is not as it should be.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let target = options.target.clone().map_or_else(host, Ok)?;
    let folder = crate::root().join("target/shipped");
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let mut sums = String::new();
    for program in
        PROGRAMS.iter().filter(|program| options.only.as_deref().is_none_or(|only| only == program.name))
    {
        let built = program.build(&target)?;
        let bytes = fs::read(&built).with_context(|| format!("reading {}", built.display()))?;
        program.check(&bytes)?;
        let name = format!("{}-{target}", program.name);
        fs::copy(&built, folder.join(&name)).with_context(|| format!("copying {}", built.display()))?;
        sums += &format!("{}  {name}\n", sha256(&bytes));
        println!("{name}: {:.1} MB, static, stripped", bytes.len() as f64 / 1e6);
    }
    let file = folder.join(format!("SHA256SUMS-{target}"));
    fs::write(&file, sums).with_context(|| format!("writing {}", file.display()))
}

impl Program {
    /// By itself, because programs that are built together get each other's features.
    fn build(&self, target: &str) -> anyhow::Result<PathBuf> {
        let status = Command::new("cargo")
            .args(["build", "--locked", "--profile", "dist", "--target", target])
            .args(["--package", self.name, "--bin", self.name])
            .current_dir(crate::root())
            // What musl does anyway.
            .env("RUSTFLAGS", "-C target-feature=+crt-static")
            .status()
            .context("running cargo")?;
        ensure!(status.success(), "{} did not build for {target}", self.name);
        Ok(crate::root().join(Path::new("target").join(target).join("dist").join(self.name)))
    }

    fn check(&self, bytes: &[u8]) -> anyhow::Result<()> {
        if let Some(problem) = elf::problem(bytes) {
            bail!("{}: {problem}", self.name);
        }
        match self.most_bytes {
            Some(most) if bytes.len() as u64 > most => {
                bail!("{} has {} bytes, and may have {most}", self.name, bytes.len())
            }
            _ => Ok(()),
        }
    }
}

/// The triple of the toolchain's own platform.
fn host() -> anyhow::Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("running rustc")?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say for what it builds")
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::PROGRAMS;

    #[test]
    fn what_is_shipped_is_held_to_its_size() {
        let agent = PROGRAMS.iter().find(|program| program.name == "kubeplex-agent").unwrap();
        let mut bytes = super::elf::tests::header(&[]);
        assert!(agent.check(&bytes).is_ok());
        bytes.resize(20_000_001, 0);
        let told = agent.check(&bytes).unwrap_err().to_string();
        assert_eq!(told, "kubeplex-agent has 20000001 bytes, and may have 20000000");
    }
}
