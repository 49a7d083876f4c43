//! Starting a server: the folder, the door, the socket; and stopping it.
//!
//! ```no_run
//! # async fn example() -> Result<(), server::ServeError> {
//! let running = server::serve(server::Options::loopback("./data"), std::future::pending()).await?;
//! println!("http://{}", running.address());
//! running.stop().await;
//! # Ok(())
//! # }
//! ```

use crate::access::Access;
use crate::access::admin::{ADMIN_TOKEN_FILE, admin_token, new_secret};
use crate::access::origin::Hosts;
use crate::app::{self, App};
use crate::listener;
use crate::metrics::Metrics;
use crate::options::{Anonymous, Options};
use domain::Secret;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, RwLock};
use std::time::Duration;
use store::{BlobLimits, DataFolder, DatabaseError, FolderError, Ledger, UPLOADS_OPEN_MAX};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

/// An upload to which nothing was added for so long is thrown away.
const UPLOAD_AGE_MAX_MS: i64 = 24 * 3_600_000;
/// How often uploads are looked at.
const SWEEP_EVERY: Duration = Duration::from_secs(600);

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] DatabaseError),
    /// The address is taken, or is not this machine's.
    #[error("{listen} cannot be listened on")]
    Bind {
        /// The address.
        listen: SocketAddr,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// Everybody on the network could write.
    #[error(
        "{listen} is reached from other machines, and no token was made yet: everybody could push. \
         Make one on loopback first (`indelible token create`), ask for one from the start \
         (`--anonymous nowhere`), or say outright that everybody may (`--anonymous everywhere`)"
    )]
    WideOpen {
        /// The address.
        listen: SocketAddr,
    },
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    Randomness(#[source] getrandom::Error),
    /// A part of the start died.
    #[error("the server's start was cut off")]
    Cut(#[from] tokio::task::JoinError),
}

/// A server that runs until it is stopped or this is dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    admin_token: PathBuf,
    ledger: Ledger,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    /// The address that it listens on, with the port that was taken.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The file that holds the administrator's token.
    #[must_use]
    pub fn admin_token(&self) -> &Path {
        &self.admin_token
    }

    /// The server's own record, for what works beside it in the same process.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.ledger.clone()
    }

    /// Takes no new connections, and waits for the requests under way, at most the drain time.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        self.wait().await;
    }

    /// Waits until the server has stopped by itself: after the `shutdown` that it was started with.
    pub async fn wait(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the server died");
        }
    }
}

/// Starts a server; it stops when `shutdown` is over, or by [`Running::stop`].
///
/// # Errors
/// The folder is in use or cannot be opened, the address cannot be bound, or it would let strangers write.
pub async fn serve(
    options: Options,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<Running, ServeError> {
    let listen = options.listen;
    let is_reached = !listen.ip().to_canonical().is_loopback();
    // Before anything is made: a server that is refused leaves no folder behind.
    if is_reached && options.anonymous == Anonymous::OnLoopback && is_new(&options.data) {
        return Err(ServeError::WideOpen { listen });
    }
    let bound = TcpListener::bind(listen).await;
    let listener = bound.map_err(|source| ServeError::Bind { listen, source })?;
    let address = listener.local_addr().map_err(|source| ServeError::Bind { listen, source })?;
    let (folder, admin) = open_folder(&options).await?;
    let app = Arc::new(open_app(&folder, &options, &admin).await?);
    if is_reached && is_wide_open(&app, options.anonymous) {
        return Err(ServeError::WideOpen { listen });
    }
    let ledger = app.ledger.clone();
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(run(listener, app, folder, stop.clone(), stopped, shutdown));
    let admin_token = options.data.join(ADMIN_TOKEN_FILE);
    Ok(Running { address, admin_token, ledger, stop, task })
}

/// Whether nothing was ever kept there, so that it can hold no token either.
fn is_new(data: &Path) -> bool {
    std::fs::read_dir(data).map_or(true, |mut entries| entries.next().is_none())
}

async fn open_folder(options: &Options) -> Result<(DataFolder, Secret), ServeError> {
    let data = options.data.clone();
    let limits =
        BlobLimits { blob_bytes_max: options.limits.blob_bytes_max, uploads_max: UPLOADS_OPEN_MAX };
    let fresh = new_secret().map_err(ServeError::Randomness)?;
    let opened = tokio::task::spawn_blocking(move || {
        let folder = DataFolder::open(&data, limits)?;
        let admin = admin_token(&folder, &fresh)?;
        Ok::<_, FolderError>((folder, admin))
    });
    Ok(opened.await??)
}

async fn open_app(
    folder: &DataFolder,
    options: &Options,
    admin: &Secret,
) -> Result<App, ServeError> {
    let catalog = folder.catalog();
    let mut run = [0; 4];
    getrandom::fill(&mut run).map_err(ServeError::Randomness)?;
    Ok(App {
        access: Access::open(&catalog, options.anonymous, admin.expose()).await?,
        rules: RwLock::new(Arc::new(catalog.rules().await?)),
        blobs: folder.blobs(),
        ledger: folder.ledger(),
        catalog,
        hosts: Hosts::new(&options.public_hosts),
        metrics: Metrics::default(),
        uploads: Arc::new(Semaphore::new(options.limits.uploads_at_once_max)),
        limits: options.limits.clone(),
        serves: options.serves,
        numbers: options.numbers.clone(),
        run: u32::from_le_bytes(run),
        requests: AtomicU32::new(0),
    })
}

fn is_wide_open(app: &App, anonymous: Anonymous) -> bool {
    match anonymous {
        Anonymous::OnLoopback => !app.access.has_tokens(),
        Anonymous::Nowhere | Anonymous::Everywhere => false,
    }
}

/// Serves to the end; the folder's lock is held until then.
async fn run(
    listener: TcpListener,
    app: Arc<App>,
    folder: DataFolder,
    stop: watch::Sender<bool>,
    stopped: watch::Receiver<bool>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let sweeper = tokio::spawn(sweep(Arc::clone(&app)));
    let waiting = tokio::spawn(async move {
        shutdown.await;
        stop.send_replace(true);
    });
    listener::accept(listener, app, stopped).await;
    waiting.abort();
    sweeper.abort();
    // Joined, so that nothing of this server holds the folder when it says that it stopped.
    let _ = (waiting.await, sweeper.await);
    drop(folder);
}

/// Throws away uploads that nobody goes on with.
async fn sweep(app: Arc<App>) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        match app.blobs.sweep_uploads(app::now().plus_millis(-UPLOAD_AGE_MAX_MS)).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "uploads without an end were thrown away"),
            Err(error) => tracing::error!(%error, "old uploads were not thrown away"),
        }
    }
}
