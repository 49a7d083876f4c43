//! `cargo xtask cluster up|down`: a real Kubernetes cluster on this machine, to try things on by hand.
//!
//! The same one that the tests start (`testbed::Cluster`), but it stays until it is told to go.

use std::env;
use std::fs;
use std::process::Command;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};

use crate::{Outcome, place, setup};

/// A real Kubernetes cluster on this machine: control plane, two nodes, a registry.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum Action {
    /// Start it, write its kubeconfig and say where it is; root on Linux.
    Up(setup::WithKwok),
    /// Stop it and remove everything of it.
    Down,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome> {
    match arguments.action {
        Action::Up(setup) => up(setup),
        Action::Down => down(),
    }
}

fn up(arguments: setup::WithKwok) -> Result<Outcome> {
    if !setup::is_root_on_linux() {
        bail!("a cluster needs root on Linux: containerd mounts, and makes cgroups and networks");
    }
    if env::var_os(testbed::BUILT_PEERS).is_none() {
        return again_with_peers(arguments);
    }
    let folder = place::cache()?.join("cluster");
    if folder.join("pid").is_file() {
        bail!("there is one already, or what a killed one left: cargo xtask cluster down");
    }
    fs::create_dir_all(&folder)?;
    let nodes = if arguments.kwok { testbed::Nodes::RealAndKwok } else { testbed::Nodes::Real };
    let started = testbed::Cluster::start_to_stay(&folder, nodes)?;
    println!("export KUBECONFIG={}", started.kubeconfig.display());
    println!("# push what its nodes shall run to {}", started.registry);
    if arguments.kwok {
        let (key, value) = testbed::KWOK_NODE;
        println!(
            "# a node with the annotation {key}: {value} is kwok's: its pods run without containers"
        );
    }
    println!("# without a kubectl of your own: {} kubectl", started.kube.display());
    Ok(Outcome::Good)
}

/// Sets up, and starts this program again: where the peers are is told by a variable, which a process cannot
/// safely give itself.
fn again_with_peers(arguments: setup::WithKwok) -> Result<Outcome> {
    let root = place::root()?;
    let ready = setup::for_tests(&root, arguments.setup.consent())?;
    let mut again = Command::new(env::current_exe()?);
    again.args(["cluster", "up"]);
    if arguments.kwok {
        if !setup::for_scale(&root, &ready.bin)? {
            return Ok(Outcome::Bad);
        }
        again.arg("--kwok");
    }
    again.env(testbed::BUILT_PEERS, &ready.bin);
    Ok(if again.status()?.success() { Outcome::Good } else { Outcome::Bad })
}

fn down() -> Result<Outcome> {
    let folder = place::cache()?.join("cluster");
    println!("{}", if testbed::stop_in(&folder)? { "stopped" } else { "there was none running" });
    Ok(Outcome::Good)
}
