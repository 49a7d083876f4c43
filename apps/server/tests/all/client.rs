//! A server of its own for each test, and a blocking HTTP/1.1 client that sends exactly what it is told.

use server::{Options, Running};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A server in this process, stopped when it goes.
pub(crate) struct Server {
    pub(crate) folder: TempDir,
    pub(crate) address: SocketAddr,
    running: Option<Running>,
    runtime: Runtime,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    pub(crate) fn start_with(change: impl FnOnce(&mut Options)) -> Self {
        Self::start_on(tempfile::tempdir().unwrap(), change)
    }

    pub(crate) fn start_on(folder: TempDir, change: impl FnOnce(&mut Options)) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let mut options = Options::loopback(folder.path());
        change(&mut options);
        let running = runtime.block_on(server::serve(options, std::future::pending())).unwrap();
        Self { folder, address: running.address(), running: Some(running), runtime }
    }

    /// Stops it and gives its folder back.
    pub(crate) fn stop(mut self) -> TempDir {
        let running = self.running.take().unwrap();
        self.runtime.block_on(running.stop());
        self.folder
    }

    pub(crate) fn admin_token(&self) -> String {
        std::fs::read_to_string(self.running.as_ref().unwrap().admin_token())
            .unwrap()
            .trim()
            .to_owned()
    }

    pub(crate) fn ask(&self, method: &str, target: &str) -> Asking {
        Asking {
            address: self.address,
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            host: Some(self.address.to_string()),
            body: None,
        }
    }

    pub(crate) fn get(&self, target: &str) -> Reply {
        self.ask("GET", target).send()
    }

    pub(crate) fn head(&self, target: &str) -> Reply {
        self.ask("HEAD", target).send()
    }

    pub(crate) fn delete(&self, target: &str) -> Reply {
        self.ask("DELETE", target).send()
    }

    /// A write to the API, as the command line sends it.
    pub(crate) fn post_api(&self, path: &str, body: &str) -> Asking {
        self.ask("POST", path).header("X-Indelible", "1").body(body)
    }

    /// A token with these rights in these repositories, made by the administrator.
    pub(crate) fn token(&self, name: &str, rights: &[&str], repositories: &str) -> String {
        let rights = rights.iter().map(|r| format!("{r:?}")).collect::<Vec<_>>().join(",");
        let body =
            format!(r#"{{"name":"{name}","rights":[{rights}],"repositories":"{repositories}"}}"#);
        let made = self.post_api("/api/v1/tokens", &body).bearer(&self.admin_token()).send();
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()["token"].as_str().unwrap().to_owned()
    }

    /// A connection to misbehave on.
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }
}

/// Sends a PATCH of two bytes and only the first of them; comes back when the server waits for the second.
pub(crate) fn half_a_patch(server: &Server, location: &str) -> TcpStream {
    let mut stream = server.connect();
    let host = server.address;
    let head = format!(
        "PATCH {location} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 2\r\n"
    );
    write!(stream, "{head}Expect: 100-continue\r\n\r\n").unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"a").unwrap();
    stream
}

/// One request.
#[derive(Clone)]
pub(crate) struct Asking {
    address: SocketAddr,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    host: Option<String>,
    body: Option<Vec<u8>>,
}

impl Asking {
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("Authorization", format!("Bearer {token}"))
    }

    pub(crate) fn host(mut self, host: Option<&str>) -> Self {
        self.host = host.map(str::to_owned);
        self
    }

    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = Some(body.as_ref().to_vec());
        self
    }

    fn head(&self) -> String {
        let mut head = format!("{} {} HTTP/1.1\r\nConnection: close\r\n", self.method, self.target);
        let host = self.host.iter().map(|host| ("Host", host.as_str()));
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in host.chain(headers) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head
    }

    pub(crate) fn send(self) -> Reply {
        let mut head = self.head();
        let body = self.body.clone().unwrap_or_default();
        if self.body.is_some() || self.method != "GET" {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        self.exchange(&[head.as_bytes(), &body].concat())
    }

    /// Sends the body in chunks of HTTP, without a length, as docker does.
    pub(crate) fn send_chunked(self) -> Reply {
        let mut bytes = self.head().into_bytes();
        bytes.extend(b"Transfer-Encoding: chunked\r\n\r\n");
        for piece in self.body.clone().unwrap_or_default().chunks(1_000) {
            bytes.extend(format!("{:x}\r\n", piece.len()).bytes());
            bytes.extend(piece);
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"0\r\n\r\n");
        self.exchange(&bytes)
    }

    fn exchange(&self, bytes: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        // The server may answer before it has read everything: what it says is what counts.
        let written = stream.write_all(bytes);
        let mut all = Vec::new();
        let read = stream.read_to_end(&mut all);
        assert!(!all.is_empty(), "no answer: {written:?} {read:?}");
        Reply::read(&all, &self.method)
    }
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    fn read(bytes: &[u8], method: &str) -> Self {
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("an answer has a head");
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| {
                let (name, value) = line.split_once(':').unwrap();
                (name.to_ascii_lowercase(), value.trim().to_owned())
            })
            .collect();
        let body = bytes[end + 4..].to_vec();
        let reply = Self { status, headers, body };
        let length = reply.header("content-length").map(|n| n.parse::<usize>().unwrap());
        match length {
            Some(length) if method != "HEAD" && status != 304 => {
                assert_eq!(length, reply.body.len())
            }
            Some(_) | None => {}
        }
        if method == "HEAD" {
            assert!(reply.body.is_empty(), "HEAD has no body");
        }
        reply
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn headers<'a>(&'a self, name: &'a str) -> Vec<&'a str> {
        let found = self.headers.iter().filter(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// The code of the first error.
    pub(crate) fn code(&self) -> String {
        self.json()["errors"][0]["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn message(&self) -> String {
        self.json()["errors"][0]["message"].as_str().unwrap_or_default().to_owned()
    }
}
