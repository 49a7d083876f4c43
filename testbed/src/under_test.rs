//! The program under test: the `indelible` that the tests were built with.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

/// Set by `cargo xtask test`.
const BINARY: &str = "INDELIBLE_BIN";

/// Finds the `indelible` to test: what `cargo xtask test` names, else what stands beside the
/// running test in the target folder.
///
/// # Errors
/// Neither is there.
pub fn indelible_bin() -> Result<PathBuf> {
    if let Some(named) = env::var_os(BINARY) {
        return Ok(PathBuf::from(named));
    }
    let test = env::current_exe().context("this test does not know its own path")?;
    // target/release/deps/e2e-0123 -> target/release/indelible
    let beside = test.ancestors().nth(2).map(|folder| folder.join("indelible"));
    match beside {
        Some(binary) if binary.is_file() => Ok(binary),
        Some(_) | None => bail!(
            "{BINARY} is not set and no `indelible` is built; `cargo build --release` builds it"
        ),
    }
}
