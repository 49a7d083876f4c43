//! Known vulnerabilities of the dependencies: checked where the database can be fetched, else said
//! to be unknown. Not found out is never shown as none (law 5), and it fails nothing: whether the
//! database can be reached is no property of this tree.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::process::{Ended, within};
use crate::{Outcome, setup};

/// A network that swallows packets must not hold the checks up.
const FETCH_WITHIN: Duration = Duration::from_secs(60);

pub(super) fn check(root: &Path) -> Result<Outcome> {
    let Some(program) = setup::cargo_deny(root)? else {
        println!("advisories: unknown (cargo-deny is not installed)");
        return Ok(Outcome::Good);
    };
    let mut fetch = Command::new(&program);
    // Without a terminal git would wait for a password for ever.
    fetch.args(["--locked", "fetch", "db"]).env("GIT_TERMINAL_PROMPT", "0").current_dir(root);
    match within(FETCH_WITHIN, &mut fetch)? {
        Ended::Well => {}
        Ended::Badly | Ended::TooLate => {
            println!("advisories: unknown (could not be fetched)");
            return Ok(Outcome::Good);
        }
    }
    let mut deny = Command::new(&program);
    deny.args(["--locked", "check", "--disable-fetch", "advisories"]);
    super::outcome(deny.current_dir(root))
}
