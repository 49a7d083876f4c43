//! Standard output: what could not be written is never taken for said.
//!
//! ```text
//! indelible history --json >/dev/full   ->  exit 2: standard output could not be written
//! ```

use crate::sandbox::{NINES, Sandbox, sandbox};
use crate::server::{Served, layout};
use std::process::{Command, Stdio};

/// Runs the binary with its standard output going there; gives what it said, and its exit code.
fn into(sandbox: &Sandbox, stdout: Stdio, arguments: &[&str]) -> (String, Option<i32>) {
    let child = Command::new(env!("CARGO_BIN_EXE_indelible"))
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", sandbox.home())
        .current_dir(sandbox.path(""))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = child.wait_with_output().unwrap();
    (String::from_utf8(output.stderr).unwrap(), output.status.code())
}

#[cfg(target_os = "linux")]
#[test]
fn what_could_not_be_written_is_never_exit_0() {
    let compose = format!("services: {{api: {{image: shop/api:1@{NINES}}}}}\n");
    let sandbox = sandbox().file("compose.yaml", compose);
    let served = Served::start(&sandbox);
    layout(&sandbox, "tea", "image", "tea");
    let to = format!("{}/shop/api", served.host());
    let cases: [&[&str]; 5] = [
        &["publish", "oci:tea", "--to", &to, "--tag", "1", "--record", "file:record.db"],
        &["history", &to, "--json"],
        &["check", "compose.yaml"],
        &["completions", "bash"],
        &["--help"],
    ];
    for words in cases {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let (said, code) = into(&sandbox, full.into(), words);
        assert_eq!(code, Some(2), "{words:?}: {said}");
        assert!(said.contains("standard output could not be written: "), "{words:?}: {said}");
        let (said, code) = into(&sandbox, Stdio::null(), words);
        assert_eq!(code, Some(0), "{words:?}: {said}");
    }
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let sandbox = sandbox();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let (said, code) = into(&sandbox, writer.into(), &["completions", "bash"]);
    assert_eq!((said.as_str(), code), ("", Some(0)));
}
