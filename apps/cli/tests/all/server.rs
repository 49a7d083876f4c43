//! A registry of ours on loopback, run by the binary itself, and small images as folders.
//!
//! ```text
//! Served::start(&sandbox)  ->  `indelible serve` on a free port, ended with the test
//! ```

use crate::sandbox::Sandbox;
use domain::Digest;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// A registry that runs until the test ends.
pub(crate) struct Served {
    child: Child,
    host: String,
}

impl Served {
    /// Starts it, with its data in the sandbox's home.
    pub(crate) fn start(sandbox: &Sandbox) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_indelible"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(sandbox.home().join("registry"))
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let host = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
        Self { child, host }
    }

    /// Its address.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// What a GET is answered, its head and body.
    pub(crate) fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let head =
            format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.host);
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Whether it holds nothing at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.get("/v2/_catalog").replace(' ', "").contains(r#"{"repositories":[]}"#)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Either may fail only where the process ended by itself, which its own test has noticed.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// Writes an image whose layer holds these words into a layout, under a name; gives its digest.
pub(crate) fn layout(sandbox: &Sandbox, folder: &str, name: &str, words: &str) -> String {
    let blob = |bytes: &[u8], kind: &str| {
        let digest = Digest::sha256(bytes);
        sandbox.write(&format!("{folder}/blobs/sha256/{}", digest.hex()), bytes);
        let (kind, size) = (format!("application/vnd.oci.image.{kind}"), bytes.len());
        serde_json::json!({"mediaType": kind, "digest": digest.to_string(), "size": size})
    };
    let config = blob(br#"{"architecture":"amd64","os":"linux"}"#, "config.v1+json");
    let layer = blob(words.as_bytes(), "layer.v1.tar");
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config,
        "layers": [layer],
    });
    let mut entry = blob(manifest.to_string().as_bytes(), "manifest.v1+json");
    let digest = entry["digest"].as_str().unwrap().to_owned();
    entry["annotations"] = serde_json::json!({"org.opencontainers.image.ref.name": name});
    let path = sandbox.path(folder).join("index.json");
    let mut index = match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).unwrap(),
        Err(_) => serde_json::json!({"schemaVersion": 2, "manifests": []}),
    };
    index["manifests"].as_array_mut().unwrap().push(entry);
    sandbox.write(&format!("{folder}/index.json"), index.to_string());
    sandbox.write(&format!("{folder}/oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#);
    digest
}
