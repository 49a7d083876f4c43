//! A registry that knows every tag and waits before each answer, as one does that is far away.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;

const DIGEST: &str = "sha256:9999999999999999999999999999999999999999999999999999999999999999";

/// A registry on loopback that runs until the program ends.
pub(super) struct Waiting {
    host: String,
    heads: Arc<AtomicUsize>,
}

impl Waiting {
    /// Starts it.
    pub(super) fn start(latency: Duration) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let host = listener.local_addr()?.to_string();
        let heads = Arc::new(AtomicUsize::new(0));
        let counted = heads.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let counted = counted.clone();
                std::thread::spawn(move || answer(&stream, latency, &counted));
            }
        });
        Ok(Self { host, heads })
    }

    /// Its address.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// How many HEAD requests there were.
    pub(super) fn heads(&self) -> usize {
        self.heads.load(Ordering::SeqCst)
    }
}

/// Answers the requests of one connection, none of which has a body.
fn answer(stream: &TcpStream, latency: Duration, heads: &AtomicUsize) {
    let mut writer = stream;
    let mut lines = BufReader::new(stream).lines();
    while let Some(Ok(first)) = lines.next() {
        // The head ends with an empty line.
        while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
        if first.starts_with("HEAD ") {
            heads.fetch_add(1, Ordering::SeqCst);
        }
        std::thread::sleep(latency);
        let reply = format!(
            "HTTP/1.1 200 OK\r\ndocker-content-digest: {DIGEST}\r\n\
             content-type: application/vnd.oci.image.manifest.v1+json\r\ncontent-length: 0\r\n\r\n"
        );
        if writer.write_all(reply.as_bytes()).is_err() {
            return;
        }
    }
}
