//! The skip protocol: a test that cannot run says so, and is counted, never passed in silence.
//!
//! `cargo xtask test` sets `INDELIBLE_SKIP_LOG` to a file; a test that cannot run appends one line
//! to it, and returns:
//! ```text
//! podman_pulls_what_skopeo_pushed: podman is not installed
//! ```
//! With `INDELIBLE_REQUIRE_PEERS=1` (root on Linux, so every check) it panics instead.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

const LOG: &str = "INDELIBLE_SKIP_LOG";
const REQUIRED: &str = "INDELIBLE_REQUIRE_PEERS";
const LONG: &str = "INDELIBLE_LONG";

/// Notes that `test` did not run and why; the test returns right after it.
///
/// # Panics
/// Where every peer has to be there, and where the note cannot be written: both would otherwise
/// count as passed.
#[expect(clippy::needless_pass_by_value, reason = "a message is often made for this call")]
pub fn skip(test: &str, reason: impl ToString) {
    let line = line(test, &reason.to_string());
    assert!(
        env::var_os(REQUIRED).is_none_or(|value| value != "1"),
        "skipped although {REQUIRED}=1: {line}"
    );
    match env::var_os(LOG) {
        Some(log) => append(Path::new(&log), &line),
        None => {
            let _shown = writeln!(std::io::stderr(), "SKIPPED: {line}");
        }
    }
}

/// Tells whether the long form of a test was asked for (`cargo xtask test --long`).
#[must_use]
pub fn long() -> bool {
    env::var_os(LONG).is_some_and(|value| value == "1")
}

fn line(test: &str, reason: &str) -> String {
    format!("{test}: {}", reason.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// One write of one whole line: tests of many processes append to the same file.
fn append(log: &Path, line: &str) {
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    assert!(written.is_ok(), "cannot note in {} that a test was skipped: {line}", log.display());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_skip_is_one_line_of_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("skips");
        append(&log, &line("a_test", "no\npodman"));
        append(&log, &line("b_test", "no crane"));
        let text = std::fs::read_to_string(&log).unwrap();
        assert_eq!(text, "a_test: no podman\nb_test: no crane\n");
    }
}
