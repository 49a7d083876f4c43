//! One build of everything that the tests run, and the way to the `indelible` that it made.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::process;

const BINARY: &str = "indelible";

/// A finished piece of a build, as cargo's JSON messages describe it; other messages have less.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

impl Message {
    /// Where the program is, if this message is about it and not about its unit tests.
    fn program(self) -> Option<PathBuf> {
        let (target, profile) = (self.target?, self.profile?);
        let is_program = target.name == BINARY && target.kind == ["bin"] && !profile.test;
        self.executable.filter(|_| is_program)
    }
}

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
        .args(["--release", "--locked", "--message-format=json-render-diagnostics"])
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    println!("$ {}", process::line(&cargo));
    let mut child = cargo.spawn().context("cannot start cargo")?;
    let messages = BufReader::new(child.stdout.take().context("cargo has no output")?);
    let mut found = None;
    for line in messages.lines() {
        let message: Message =
            serde_json::from_str(&line?).context("cargo prints messages of another kind")?;
        found = message.program().or(found);
    }
    Ok(child.wait()?.success().then_some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_told_from_its_tests_and_from_other_messages() {
        let artifact = |test: bool| {
            format!(
                r#"{{"reason":"compiler-artifact","target":{{"kind":["bin"],"name":"indelible"}},
                "profile":{{"test":{test}}},"executable":"/t/indelible"}}"#
            )
        };
        let program = |text: &str| serde_json::from_str::<Message>(text).unwrap().program();
        assert_eq!(program(&artifact(false)), Some(PathBuf::from("/t/indelible")));
        assert_eq!(program(&artifact(true)), None);
        assert_eq!(program(r#"{"reason":"build-finished","success":true}"#), None);
    }
}
