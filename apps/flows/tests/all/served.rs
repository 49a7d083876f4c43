//! A real server in this process, records over it as commands open them, and a way to it that loses answers.

use crate::opened::surroundings;
use domain::RegistryHost;
use flows::record_http::HttpRecord;
use flows::seam::RecordError;
use flows::{App, Options, Surroundings};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A server with a folder of its own.
pub(crate) struct Served {
    folder: TempDir,
    running: Option<server::Running>,
    address: String,
}

impl Served {
    pub(crate) async fn start() -> Self {
        // Whichever test comes first installs it.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let options = server::Options::loopback(folder.path());
        let running = server::serve(options, std::future::pending()).await.unwrap();
        let address = running.address().to_string();
        Self { folder, running: Some(running), address }
    }

    /// Stops the server; nobody answers from then on.
    pub(crate) async fn stop(&mut self) {
        self.running.take().unwrap().stop().await;
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The record as a new process opens it, with this token where there is one.
    pub(crate) async fn record(&self, token: Option<&str>) -> Result<HttpRecord, RecordError> {
        self.record_by(&self.address, token).await
    }

    /// The same by another way.
    pub(crate) async fn record_by(
        &self,
        address: &str,
        token: Option<&str>,
    ) -> Result<HttpRecord, RecordError> {
        let surroundings = self.surroundings(token);
        let address = format!("http://{address}");
        let options = Options { record: Some(address.clone()), ..Options::default() };
        let app = App::open(options, surroundings.clone()).unwrap();
        let host: RegistryHost = address["http://".len()..].parse().unwrap();
        let api = app.registries().unwrap().api(&host).await.unwrap();
        HttpRecord::open(api, address, surroundings).await
    }

    pub(crate) fn surroundings(&self, token: Option<&str>) -> Surroundings {
        let mut surroundings = surroundings(self.folder.path());
        surroundings
            .variables
            .extend(token.map(|token| ("INDELIBLE_TOKEN".to_owned(), token.to_owned())));
        surroundings
    }

    /// A token that the administrator makes.
    pub(crate) async fn token(&self, name: &str, rights: &[&str], repositories: &str) -> String {
        let admin = std::fs::read_to_string(self.folder.path().join("admin.token")).unwrap();
        let options =
            Options { own_hosts: vec![self.address.parse().unwrap()], ..Options::default() };
        let app = App::open(options, self.surroundings(Some(admin.trim()))).unwrap();
        let host = self.address.parse().unwrap();
        let api = app.registries().unwrap().api(&host).await.unwrap();
        let rights: Vec<_> = rights.iter().map(|right| right.parse().unwrap()).collect();
        let made = api.create_token(name, &rights, &repositories.parse().unwrap()).await.unwrap();
        made.secret().expose().to_owned()
    }
}

/// A way to a server on which the answers to some appends are lost.
pub(crate) struct Lossy {
    pub(crate) address: String,
    left: Arc<AtomicUsize>,
}

impl Lossy {
    /// The first `lost` answers to an append do not arrive.
    pub(crate) async fn before(server: &Served, lost: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let left = Arc::new(AtomicUsize::new(lost));
        let (to, counted) = (server.address.clone(), Arc::clone(&left));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&to).await.unwrap();
                tokio::spawn(carry(client, server, Arc::clone(&counted)));
            }
        });
        Self { address, left }
    }

    /// How many answers are still to be lost.
    pub(crate) fn left(&self) -> usize {
        self.left.load(Ordering::SeqCst)
    }
}

/// Carries bytes both ways, until the answer to an append is to be lost: the server did it, and nobody hears.
async fn carry(mut client: TcpStream, mut server: TcpStream, left: Arc<AtomicUsize>) {
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    let mut is_append = false;
    loop {
        tokio::select! {
            read = client.read(&mut asked) => match read {
                Ok(length) if length > 0 => {
                    let bytes = &asked[..length];
                    is_append |= bytes.starts_with(b"POST /api/v1/claims");
                    if server.write_all(bytes).await.is_err() { return; }
                }
                Ok(_) | Err(_) => return,
            },
            read = server.read(&mut answered) => match read {
                Ok(length) if length > 0 => {
                    let lose = |left: usize| left.checked_sub(1);
                    let is_lost = is_append
                        && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, lose).is_ok();
                    if is_lost || client.write_all(&answered[..length]).await.is_err() { return; }
                    is_append = false;
                }
                Ok(_) | Err(_) => return,
            },
        }
    }
}
