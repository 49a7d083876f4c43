//! What runs on the nodes: one static busybox, as the image of sandboxes and as a base of tests' images.

use std::fs;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use super::Shape;
use crate::peer::peer;

/// The image that holds a pod's namespaces, in the cluster's registry.
pub(super) const PAUSE: &str = "testbed/pause:1";
/// Busybox's shell and tools, in the cluster's registry; with no command it waits until it is told to stop.
const BUSYBOX: &str = "testbed/busybox:1";

/// A shell as a first process gets no signal that it does not ask for.
const WAIT: &str = "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done";

/// Pushes both images, which are one.
pub(super) fn push(shape: &Shape) -> Result<()> {
    let layer = layer(shape)?;
    for image in [PAUSE, BUSYBOX] {
        let name = format!("{}/{image}", shape.registry());
        crane(shape, &["append", "--new_layer", &layer, "--new_tag", &name])?;
        crane(
            shape,
            &["mutate", &name, "--tag", &name, "--entrypoint", "/bin/sh,-c", "--cmd", WAIT],
        )?;
    }
    Ok(())
}

/// A tar archive with `/bin/busybox` and a link to it for each of its tools that tests call.
fn layer(shape: &Shape) -> Result<String> {
    let root = shape.folder.join("busybox");
    let bin = root.join("bin");
    fs::create_dir_all(&bin)?;
    fs::copy(peer("busybox")?.path(), bin.join("busybox"))?;
    for tool in ["sh", "sleep", "cat", "echo", "true", "false"] {
        std::os::unix::fs::symlink("busybox", bin.join(tool))?;
    }
    let archive = shape.folder.join("busybox.tar");
    let mut tar = peer("tar")?.command_at_home(&shape.folder);
    tar.args([
        "--create",
        "--sort=name",
        "--mtime=@0",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
    ]);
    tar.arg("--file").arg(&archive).arg("--directory").arg(&root).arg("bin");
    ensure!(tar.status().context("cannot start tar")?.success(), "tar has said why");
    Ok(archive.display().to_string())
}

fn crane(shape: &Shape, arguments: &[&str]) -> Result<()> {
    let mut crane = peer("crane")?.command_at_home(&shape.folder);
    let output =
        crane.args(arguments).stdin(Stdio::null()).output().context("cannot start crane")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "crane {}: {said}", arguments.join(" "));
    Ok(())
}
