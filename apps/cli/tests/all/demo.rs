//! `indelible demo`: its transcript, what it leaves, and what it does not leave.

use crate::transcript::normal;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long a demo may take; the story itself is told in seconds.
const DEMO_WITHIN: Duration = Duration::from_secs(120);

fn demo(temp: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_indelible"));
    command.arg("demo").args(arguments).env("TMPDIR", temp).stdin(Stdio::null());
    command
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

/// The one folder that the demo makes below `temp`.
fn made_in(temp: &Path) -> Option<PathBuf> {
    let mut entries = std::fs::read_dir(temp).unwrap().map(|entry| entry.unwrap().path());
    entries.find(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("indelible-demo-"))
    })
}

fn words(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    format!("{}{}", String::from_utf8_lossy(&output.stdout), errors)
}

#[test]
fn the_story_is_told_as_it_was_written_down() {
    let temp = tempfile::tempdir().unwrap();
    let temp = temp.path().canonicalize().unwrap();
    let folder = temp.join("story");
    let arguments = ["--once", "--folder", folder.to_str().unwrap()];
    let output = demo(&temp, &arguments).output().unwrap();
    let said = words(&output);
    assert!(output.status.success(), "{said}");
    assert!(is_empty(&temp), "the folder is removed");
    let programs = Path::new(env!("CARGO_BIN_EXE_indelible")).parent().unwrap();
    let places = [
        (folder.to_str().unwrap(), "[folder]"),
        (programs.to_str().unwrap(), "[programs]"),
        (temp.to_str().unwrap(), "[temp]"),
    ];
    insta::assert_snapshot!(normal(&said, &places));
}

#[test]
fn the_registry_runs_on_until_it_is_ended_as_the_demo_says() {
    let temp = tempfile::tempdir().unwrap();
    let output = demo(temp.path(), &[]).output().unwrap();
    let said = words(&output);
    assert!(output.status.success(), "{said}");
    let end = said.lines().find_map(|line| line.strip_prefix("# End it:")).unwrap().trim();
    let address = said.lines().find_map(|line| line.split_once("runs on at http://")).unwrap().1;
    let address = address.split(',').next().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(stream, "GET /v2/ HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // Both lines are typed as they stand, in a shell that knows nothing of this program.
    let look = said.lines().find_map(|line| line.strip_prefix("# Look around:")).unwrap().trim();
    let mut looked = Command::new("sh");
    looked.args(["-c", look]).env_clear().env("PATH", "/usr/bin:/bin");
    let looked = looked.output().unwrap();
    assert!(looked.status.success(), "{look}: {}", words(&looked));
    assert!(words(&looked).contains("rollback"), "{}", words(&looked));
    assert!(Command::new("sh").args(["-c", end]).status().unwrap().success(), "{end}");
    wait_until("the registry still answers", || TcpStream::connect(address).is_err());
    assert_eq!(made_in(temp.path()), None);
}

#[test]
fn an_interrupt_stops_and_removes_everything() {
    let temp = tempfile::tempdir().unwrap();
    let mut child =
        demo(temp.path(), &[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let ready = || made_in(temp.path()).is_some_and(|folder| folder.join("data/lock").exists());
    wait_until("no server was started", ready);
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let status = wait_for(&mut child);
    assert_eq!(status, Some(130));
    assert_eq!(made_in(temp.path()), None, "the folder is removed");
}

#[test]
fn a_folder_that_is_there_is_left_alone() {
    let temp = tempfile::tempdir().unwrap();
    std::fs::write(temp.path().join("mine"), "x").unwrap();
    let output = demo(temp.path(), &["--folder", temp.path().to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(words(&output).contains("exists already"), "{}", words(&output));
    assert!(temp.path().join("mine").exists());
}

fn wait_for(child: &mut Child) -> Option<i32> {
    let deadline = Instant::now() + DEMO_WITHIN;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    panic!("the demo does not end");
}

fn wait_until(why: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEMO_WITHIN;
    while !is_so() {
        assert!(Instant::now() < deadline, "{why}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
