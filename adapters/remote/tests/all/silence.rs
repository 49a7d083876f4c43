//! A registry that hangs in silence, in every phase of a request: the wait ends, and says what was waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use domain::{Digest, RegistryHost};
use futures_util::{StreamExt as _, stream};
use oci::ManifestRef;
use remote::registry::Patience;
use remote::{BlobSource, Registry, RegistrySettings, RemoteError, RemoteRepository};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::script::{install_provider, quick};

/// How long these tests let a registry be silent.
const IDLE: Duration = Duration::from_millis(100);
/// A wait that ends by itself ends long before; reached only when one does not.
const HANGS: Duration = Duration::from_secs(30);
/// More than the sockets of both sides hold.
const LARGE: usize = 64 << 20;

/// A registry that sends these bytes for each request's head, reads no more, and keeps the line.
struct Silent {
    host: RegistryHost,
    asked: Arc<AtomicUsize>,
}

impl Silent {
    async fn start(says: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string().parse().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let (count, says) = (Arc::clone(&asked), Arc::new(says));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(hang(stream, Arc::clone(&says)));
            }
        });
        Self { host, asked }
    }

    fn repository(&self, retries: u32) -> RemoteRepository {
        install_provider();
        let patience = Patience { idle: IDLE, retries, ..quick().patience };
        let settings = RegistrySettings { patience, ..quick() };
        let registry = Registry::new(self.host.clone(), settings).unwrap();
        registry.repository("shop/api".parse().unwrap())
    }

    /// The error of a wait that ended, which names the registry and silence.
    async fn ends<T>(&self, asking: impl Future<Output = Result<T, RemoteError>>) -> RemoteError {
        let waited = tokio::time::timeout(HANGS, asking).await.expect("the wait ends by itself");
        let error = waited.err().expect("silence is no answer");
        let RemoteError::Timeout { place, waited } = &error else { panic!("{error:?}") };
        assert!(place.contains(self.host.as_str()), "{place}");
        assert_eq!(*waited, IDLE);
        assert!(error.to_string().contains("sent nothing for"), "{error}");
        error
    }
}

async fn hang(mut stream: TcpStream, says: Arc<impl Fn(&str) -> String>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let said = says(&String::from_utf8(head).unwrap());
    let _sent = stream.write_all(said.as_bytes()).await;
    std::future::pending::<()>().await;
}

fn by_tag() -> ManifestRef {
    ManifestRef::Tag("1".parse().unwrap())
}

#[tokio::test]
async fn no_answer_and_half_a_head_end_after_every_retry() {
    for said in ["", "HTTP/1.1 200 OK\r\nContent-Le"] {
        let silent = Silent::start(move |_| said.to_owned()).await;
        silent.ends(silent.repository(2).resolve(&by_tag())).await;
        assert_eq!(silent.asked.load(Ordering::Relaxed), 3, "{said:?}");
    }
}

#[tokio::test]
async fn half_a_manifest_ends() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.oci.image.manifest.v1+json\r\n\
                Content-Length: 1000\r\n\r\n{\"schema";
    let silent = Silent::start(|_| head.to_owned()).await;
    silent.ends(silent.repository(0).manifest(&Digest::sha256(b"x"))).await;
}

#[tokio::test]
async fn half_a_blob_ends() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc";
    let silent = Silent::start(|_| head.to_owned()).await;
    let repository = silent.repository(0);
    silent
        .ends(async {
            let mut stream = repository.blob(&Digest::sha256(b"x"), Some(1_000)).await?;
            while let Some(piece) = stream.next().await {
                piece?;
            }
            Ok(())
        })
        .await;
}

#[tokio::test]
async fn an_upload_that_nobody_reads_ends() {
    let silent = Silent::start(|head| {
        let answer = match head.split(' ').next() {
            Some("HEAD") => "HTTP/1.1 404 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            Some("POST") => {
                "HTTP/1.1 202 x\r\nLocation: /v2/shop/api/blobs/uploads/u1\r\n\
                 Content-Length: 0\r\nConnection: close\r\n\r\n"
            }
            _ => "",
        };
        answer.to_owned()
    })
    .await;
    let piece = Bytes::from(vec![7; 1 << 20]);
    let digest = Digest::sha256(&vec![7; LARGE]);
    let source = BlobSource::restartable(move || {
        let piece = piece.clone();
        let pieces = (0..LARGE >> 20).map(move |_| Ok(piece.clone()));
        Box::pin(async move { Ok(stream::iter(pieces).boxed()) })
    });
    let repository = silent.repository(0);
    silent.ends(repository.put_blob(&digest, LARGE as u64, &source, None)).await;
}
