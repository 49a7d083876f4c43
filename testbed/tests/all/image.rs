//! A small image for the peers to carry around: one file, made here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A tar archive with one file in it, as the root of an image.
pub(crate) fn root_archive(folder: &Path) -> PathBuf {
    fs::write(folder.join("greeting"), "good evening\n").unwrap();
    let archive = folder.join("root.tar");
    let mut tar = Command::new("tar");
    tar.arg("-cf").arg(&archive).arg("-C").arg(folder).arg("greeting");
    assert!(tar.status().unwrap().success());
    archive
}

/// What a command printed to stdout; it has to succeed.
pub(crate) fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}: {errors}", output.status);
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
