//! `indelible serve`: the registry, the record and a watcher, in one data folder.

use super::beside::Beside;
use crate::arguments::Global;
use crate::exit::{Exit, Failure};
use crate::process;
use server::{Anonymous, Limits, Options, ServeError, Serves};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// What can be typed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder that holds everything; it is made where it is missing
    #[arg(long, value_name = "DIR", default_value = "indelible-data")]
    data: PathBuf,
    /// The address; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:5080")]
    listen: SocketAddr,
    /// A name under which clients reach this server, beside localhost and addresses
    #[arg(long, value_name = "HOST")]
    public_host: Vec<String>,
    /// Whom to let in without a token: on-loopback, nowhere or everywhere
    #[arg(long, value_name = "WHERE", default_value = "on-loopback")]
    anonymous: Whom,
    /// What to do, with commas between: registry, api, watch
    #[arg(long, value_name = "ROLE", value_delimiter = ',', default_value = "registry,api")]
    role: Vec<Role>,
    /// With the role watch: a context of the kubeconfig, several times for several; left out: the `clusters` of the settings
    #[arg(long, value_name = "NAME[:NAMESPACE]")]
    watch_context: Vec<String>,
    /// The largest manifest, in bytes, at most 16 MiB
    #[arg(long, value_name = "BYTES")]
    manifest_bytes_max: Option<usize>,
    /// The largest blob, in bytes
    #[arg(long, value_name = "BYTES")]
    blob_bytes_max: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Role {
    /// The registry at /v2/
    Registry,
    /// The record, rules and tokens at /api/v1/
    Api,
    /// What runs in clusters goes into this server's record
    Watch,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Whom {
    /// Everybody on this machine, until there is a token
    OnLoopback,
    /// Nobody: admin.token in the data folder makes the first token
    Nowhere,
    /// Everybody who reaches the address
    Everywhere,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<Exit, Failure> {
    if global.dry_run {
        return Err(Failure::usage("`serve` has no dry run: it waits for what others write"));
    }
    let beside = match (arguments.role.contains(&Role::Watch), &arguments.watch_context[..]) {
        (true, contexts) => Some(Beside::open(global, contexts)?),
        (false, []) => None,
        (false, _) => {
            return Err(Failure::usage("--watch-context goes with --role registry,api,watch"));
        }
    };
    process::handles_interrupts();
    let mut limits = Limits::default();
    if let Some(bytes) = arguments.manifest_bytes_max {
        let limit = oci::ManifestLimit::new(bytes);
        limits.manifest =
            limit.map_err(|error| Failure::usage(format!("--manifest-bytes-max: {error}")))?;
    }
    limits.blob_bytes_max = arguments.blob_bytes_max.unwrap_or(limits.blob_bytes_max);
    let options = Options {
        data: arguments.data.clone(),
        listen: arguments.listen,
        anonymous: match arguments.anonymous {
            Whom::OnLoopback => Anonymous::OnLoopback,
            Whom::Nowhere => Anonymous::Nowhere,
            Whom::Everywhere => Anonymous::Everywhere,
        },
        public_hosts: arguments.public_host.clone(),
        limits,
        serves: serves(&arguments.role),
        numbers: beside.as_ref().map(Beside::numbers),
    };
    let running =
        server::serve(options, stopped()).await.map_err(|error| failure(error, &arguments.data))?;
    // The first line of stdout is the address: scripts wait for it.
    global.output().text(&format!("listening on http://{}\n", running.address()));
    global.output().talk(format_args!(
        "data in {}, administrator's token in {}",
        arguments.data.display(),
        running.admin_token().display()
    ));
    match beside {
        Some(beside) => beside.run(global, running).await,
        None => {
            running.wait().await;
            Ok(Exit::Done)
        }
    }
}

/// What is answered; the role watch answers nobody.
fn serves(roles: &[Role]) -> Serves {
    match (roles.contains(&Role::Registry), roles.contains(&Role::Api)) {
        (true, true) => Serves::Both,
        (true, false) => Serves::Registry,
        (false, true) => Serves::Api,
        (false, false) => Serves::Neither,
    }
}

/// Why it does not start, with the command that does.
fn failure(error: ServeError, data: &Path) -> Failure {
    let hint = match &error {
        ServeError::WideOpen { listen } => Some(format!(
            "indelible serve --data {} --listen {listen} --anonymous nowhere",
            data.display()
        )),
        ServeError::Folder(_)
        | ServeError::Store(_)
        | ServeError::Bind { .. }
        | ServeError::Randomness(_)
        | ServeError::Cut(_) => None,
    };
    Failure { exit: Exit::Unknown, error: anyhow::Error::new(error), hint }
}

/// Ctrl-C, or SIGTERM as a service manager sends it.
pub(super) async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
