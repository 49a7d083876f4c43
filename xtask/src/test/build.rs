//! One build of everything that the tests run, and the way to the `indelible` that it made.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use cargo_metadata::Message;

use crate::process;

const BINARY: &str = "indelible";

/// Builds all tests and `indelible`; none where something does not compile (cargo has said what).
///
/// # Errors
/// Cargo cannot be started, or builds no `indelible`.
pub(super) fn tests(root: &Path) -> Result<Option<PathBuf>> {
    // With the tests, so that one set of dependencies serves both.
    let Some(built) = binaries(root, &["test", "--workspace", "--no-run"])? else {
        return Ok(None);
    };
    if let Some(indelible) = built {
        return Ok(Some(indelible));
    }
    match binaries(root, &["build", "--package", BINARY])? {
        Some(Some(indelible)) => Ok(Some(indelible)),
        Some(None) => bail!("cargo builds no program named {BINARY}"),
        None => Ok(None),
    }
}

/// Builds just `indelible`, in the folder `root`, into `target`.
///
/// # Errors
/// Cargo cannot be started or does not build it.
pub(crate) fn indelible(root: &Path, target: &Path) -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--release", "--locked", "--package", BINARY])
        .current_dir(root)
        .env("CARGO_TARGET_DIR", target);
    process::succeed(&mut cargo)?;
    Ok(target.join("release").join(BINARY))
}

/// `None`: it does not compile. `Some(None)`: it does, and `indelible` was not part of it.
fn binaries(root: &Path, arguments: &[&str]) -> Result<Option<Option<PathBuf>>> {
    let mut cargo = Command::new("cargo");
    cargo
        .args(arguments)
        .args([
            "--release",
            "--locked",
            "--message-format=json-render-diagnostics",
        ])
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    println!("$ {}", process::line(&cargo));
    let mut child = cargo.spawn().context("cannot start cargo")?;
    let messages = BufReader::new(child.stdout.take().context("cargo has no output")?);
    let mut found = None;
    for message in Message::parse_stream(messages) {
        // Cargo has many more messages; only a finished program matters here.
        if let Message::CompilerArtifact(artifact) = message?
            && artifact.target.is_bin()
            && artifact.target.name == BINARY
            && !artifact.profile.test
        {
            found = artifact.executable.map(PathBuf::from);
        }
    }
    Ok(child.wait()?.success().then_some(found))
}
