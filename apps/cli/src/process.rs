//! What this process is given: variables, folder, clock, randomness, signals. Read here, handed on as arguments.

use crate::arguments::Global;
use crate::exit::Failure;
use flows::{App, Options, Surroundings};
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The watch itself runs on the main thread; this one moves the bytes of its connections.
const WATCH_WORKERS: usize = 1;
/// Questions to the record and to the resolver of names at once; more of them wait.
const WATCH_BLOCKING_THREADS: usize = 2;

/// The runtime of every command: two workers are enough for a pipeline, and `serve` takes what there is.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// The runtime of a watch, which waits most of the time and runs for months: few threads, for each of them keeps memory
/// that it once used.
pub(crate) fn runtime_of_a_watch() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WATCH_WORKERS)
        .max_blocking_threads(WATCH_BLOCKING_THREADS)
        .enable_all()
        .build()
}

/// Installs the one TLS provider; two of them would panic at the first connection.
pub(crate) fn install_tls() {
    // An error says that it is installed already, which is what we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Resolves when a person or a pipeline stops us.
///
/// `serve` and `demo` wait for it too, and end by themselves: see [`handles_interrupts`].
pub(crate) async fn interrupted() {
    if HANDLED.get().is_some() {
        return std::future::pending().await;
    }
    if tokio::signal::ctrl_c().await.is_err() || HANDLED.get().is_some() {
        std::future::pending::<()>().await;
    }
}

/// Set by a command that stops what it started before it ends.
static HANDLED: std::sync::OnceLock<()> = std::sync::OnceLock::new();

/// From now on the command itself answers interrupts.
pub(crate) fn handles_interrupts() {
    let _ = HANDLED.set(());
}

/// Interrupts, and requests to terminate as a CI sends them.
pub(crate) struct Stops {
    interrupt: Signal,
    terminate: Signal,
}

impl Stops {
    /// Listens from now on: neither ends the process by itself any more.
    pub(crate) fn listen() -> std::io::Result<Self> {
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        Ok(Self { interrupt: signal(interrupt)?, terminate: signal(terminate)? })
    }

    /// Resolves at the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Set by a command that is to end at once, whatever it does.
static GIVEN_UP: tokio::sync::Notify = tokio::sync::Notify::const_new();

/// Ends the process as it is.
pub(crate) fn give_up() {
    GIVEN_UP.notify_one();
}

/// Resolves when the process is to end as it is.
pub(crate) async fn given_up() {
    GIVEN_UP.notified().await;
}

/// Diagnostics go to stderr: warnings, and more with each `-v`.
pub(crate) fn log_to_stderr(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let _ = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(tracing_subscriber::EnvFilter::new(level))
        .with_ansi(false)
        .try_init();
}

/// What this process finds around it.
pub(crate) fn surroundings() -> Result<Surroundings, Failure> {
    let cwd = std::env::current_dir()
        .map_err(|error| Failure::usage(format!("cannot tell the current folder: {error}")))?;
    #[expect(clippy::disallowed_methods, reason = "the shell reads the environment, once")]
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    Ok(Surroundings { cwd, variables, clock: Arc::new(now), entropy: Arc::new(random) })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the shell asks the clock; everything else is handed the answer"
)]
fn now() -> domain::Timestamp {
    let since =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    domain::Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn random() -> u128 {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system has randomness; without it no id is unique");
    u128::from_le_bytes(bytes)
}

/// Opens the app with what every command may be told.
pub(crate) fn app(global: &Global) -> Result<App, Failure> {
    app_at(global, [])
}

/// This machine's time zone, or the one that `TZ` names.
pub(crate) fn zone() -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::system()
}

/// Opens the app for a command that itself names hosts as ours.
pub(crate) fn app_at(
    global: &Global,
    own_hosts: impl IntoIterator<Item = domain::RegistryHost>,
) -> Result<App, Failure> {
    let options = Options {
        config: global.config.clone(),
        record: global.record.clone(),
        plain_http: global.plain_http.clone(),
        own_hosts: own_hosts.into_iter().collect(),
    };
    Ok(App::open(options, surroundings()?)?)
}
