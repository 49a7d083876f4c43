//! A registry with images in it: indexes, manifests and configurations, each under the digest of its bytes.
//!
//! ```text
//! let amd64 = registry.image("linux/amd64", "2026-03-01T00:00:00Z");
//! registry.tag("shop/api:1.4", &registry.index(&[("linux/amd64", &amd64)]));
//! ```
//! Source: OCI distribution-spec 1.1, "Pulling manifests" and "Pulling blobs"; image-spec 1.1.

use domain::Digest;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

#[derive(Default)]
struct Stock {
    /// `shop/api/manifests/1.4` and the digest behind it.
    tags: BTreeMap<String, String>,
    /// Media type and bytes of each digest, in whichever repository it is asked for.
    content: BTreeMap<String, (&'static str, String)>,
    asked: Vec<String>,
}

/// A registry on loopback that runs until the test ends.
pub(crate) struct Stocked {
    host: String,
    stock: Arc<Mutex<Stock>>,
}

impl Stocked {
    /// Starts it empty.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let stock: Arc<Mutex<Stock>> = Arc::default();
        let shared = stock.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let stock = shared.clone();
                std::thread::spawn(move || answer(stream, &stock));
            }
        });
        Self { host, stock }
    }

    /// Its address.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Puts an image in; gives its digest.
    pub(crate) fn image(&self, platform: &str, created: &str) -> String {
        let (os, architecture) = platform.split_once('/').unwrap();
        let config = format!(
            r#"{{"os":"{os}","architecture":"{architecture}","created":"{created}","config":{{}},"rootfs":{{"type":"layers","diff_ids":[]}}}}"#
        );
        let (size, config) = (config.len(), self.put(CONFIG, config));
        self.put(IMAGE, format!(
            r#"{{"schemaVersion":2,"mediaType":"{IMAGE}","config":{{"mediaType":"{CONFIG}","digest":"{config}","size":{size}}},"layers":[]}}"#
        ))
    }

    /// Puts an index in; gives its digest. Another note makes another index of the same images.
    pub(crate) fn index(&self, images: &[(&str, &str)], note: &str) -> String {
        let one = |(platform, digest): &(&str, &str)| {
            let (os, architecture) = platform.split_once('/').unwrap();
            format!(
                r#"{{"mediaType":"{IMAGE}","digest":"{digest}","size":{},"platform":{{"os":"{os}","architecture":"{architecture}"}}}}"#,
                self.stock.lock().unwrap().content.get(*digest).map_or(0, |held| held.1.len())
            )
        };
        let manifests: Vec<String> = images.iter().map(one).collect();
        self.put(INDEX, format!(
            r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{}],"annotations":{{"note":"{note}"}}}}"#,
            manifests.join(",")
        ))
    }

    fn put(&self, media_type: &'static str, text: String) -> String {
        let digest = Digest::sha256(text.as_bytes()).to_string();
        self.stock.lock().unwrap().content.insert(digest.clone(), (media_type, text));
        digest
    }

    /// Makes a tag name a digest.
    pub(crate) fn tag(&self, reference: &str, digest: &str) {
        let (repository, tag) = reference.rsplit_once(':').unwrap();
        let path = format!("/v2/{repository}/manifests/{tag}");
        self.stock.lock().unwrap().tags.insert(path, digest.to_owned());
    }

    /// Takes a tag away.
    pub(crate) fn untag(&self, reference: &str) {
        let (repository, tag) = reference.rsplit_once(':').unwrap();
        let path = format!("/v2/{repository}/manifests/{tag}");
        self.stock.lock().unwrap().tags.remove(&path);
    }

    /// Loses a manifest.
    pub(crate) fn lose(&self, digest: &str) {
        self.stock.lock().unwrap().content.remove(digest);
    }

    /// What it was asked, in order: `HEAD /v2/…`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.stock.lock().unwrap().asked.clone()
    }
}

/// Answers one connection's requests; none of them has a body.
fn answer(stream: TcpStream, stock: &Mutex<Stock>) {
    let mut writer = stream.try_clone().unwrap();
    let mut lines = BufReader::new(stream).lines();
    while let Some(Ok(first)) = lines.next() {
        // The head ends with an empty line.
        while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
        let mut words = first.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let found = {
            let mut stock = stock.lock().unwrap();
            stock.asked.push(format!("{method} {path}"));
            let last = path.rsplit('/').next().unwrap_or_default();
            let digest = stock.tags.get(path).cloned().unwrap_or_else(|| last.to_owned());
            stock.content.get(&digest).cloned().map(|(kind, text)| (digest, kind, text))
        };
        let (head, body) = match found {
            Some((digest, kind, text)) => {
                (format!("200 OK\r\ndocker-content-digest: {digest}\r\ncontent-type: {kind}"), text)
            }
            None => (
                "404 Not Found\r\ncontent-type: application/json".to_owned(),
                r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"it is not here"}]}"#.to_owned(),
            ),
        };
        let sent = if method == "HEAD" { "" } else { body.as_str() };
        let length = body.len();
        if write!(writer, "HTTP/1.1 {head}\r\ncontent-length: {length}\r\n\r\n{sent}").is_err() {
            return;
        }
    }
}
