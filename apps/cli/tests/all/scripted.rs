//! A registry that knows a few tags and counts what it is asked: enough of the protocol for a pin.
//!
//! ```text
//! HEAD /v2/shop/api/manifests/1.4  ->  200, Docker-Content-Digest: sha256:9…
//! ```
//! Source: OCI distribution-spec 1.1, "Pulling manifests" and "Error codes".

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A registry on loopback that runs until the test ends.
pub(crate) struct Scripted {
    host: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// Starts it with these tags: `shop/api:1.4` and its digest, or `403 Forbidden`.
    pub(crate) fn start(tags: &[(&str, &str)]) -> Self {
        let named = |(reference, digest): &(&str, &str)| {
            let (repository, tag) = reference.rsplit_once(':').unwrap();
            (format!("/v2/{repository}/manifests/{tag}"), (*digest).to_owned())
        };
        Self::serve(tags.iter().map(named).collect())
    }

    /// Starts it so that what a tag names is there by its digest too.
    pub(crate) fn with_digests(tags: &[(&str, &str)]) -> Self {
        let named = |(reference, digest): &(&str, &str)| {
            let (repository, tag) = reference.rsplit_once(':').unwrap();
            [tag, digest]
                .map(|name| (format!("/v2/{repository}/manifests/{name}"), (*digest).to_owned()))
        };
        Self::serve(tags.iter().flat_map(named).collect())
    }

    fn serve(tags: BTreeMap<String, String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (tags, log) = (Arc::new(tags), asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tags, log) = (tags.clone(), log.clone());
                std::thread::spawn(move || answer(stream, &tags, &log));
            }
        });
        Self { host, asked }
    }

    /// Its address.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// What it was asked, in order: `HEAD /v2/…`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Answers one connection's requests; none of them has a body.
fn answer(stream: TcpStream, tags: &BTreeMap<String, String>, log: &Mutex<Vec<String>>) {
    let mut writer = stream.try_clone().unwrap();
    let mut lines = BufReader::new(stream).lines();
    while let Some(Ok(first)) = lines.next() {
        // The head ends with an empty line.
        while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
        let mut words = first.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        log.lock().unwrap().push(format!("{method} {path}"));
        let body = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no such tag"}]}"#;
        // It has no bodies: whether a digest is there is told, its manifest is not.
        let is_told = method == "HEAD" || !path.contains("/manifests/sha256:");
        let head = match tags.get(path).filter(|_| is_told) {
            Some(refused) if refused.starts_with("403") => {
                format!("{refused}\r\ncontent-length: 0")
            }
            Some(digest) => format!(
                "200 OK\r\ndocker-content-digest: {digest}\r\n\
                 content-type: application/vnd.oci.image.manifest.v1+json\r\ncontent-length: 500"
            ),
            None => format!(
                "404 Not Found\r\ncontent-type: application/json\r\ncontent-length: {}",
                body.len()
            ),
        };
        let has_body = method != "HEAD" && !tags.contains_key(path);
        let body = if has_body { body } else { "" };
        if write!(writer, "HTTP/1.1 {head}\r\n\r\n{body}").is_err() {
            return;
        }
    }
}
