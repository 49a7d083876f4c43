//! A registry that answers what a test says: HTTP/1.1 by hand, so that it can also break the rules.

use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use remote::registry::Patience;
use remote::{Registry, RegistrySettings, RemoteRepository};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn is(&self, method: &str, target: &str) -> bool {
        self.method == method && self.target == target
    }
}

/// What the script answers.
pub(crate) enum Reply {
    Answer {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// Announces all of the body, sends so many bytes of it, and hangs up.
    Short(Box<Reply>, usize),
    /// Hangs up without a word.
    Nothing,
    /// Says nothing, and keeps the line.
    Silence,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        let (headers, body) = (Vec::new(), Vec::new());
        Self::Answer { status, headers, body }
    }

    pub(crate) fn error(status: u16, code: &str) -> Self {
        let body = format!(r#"{{"errors":[{{"code":"{code}","message":""}}]}}"#);
        Self::status(status).with("Content-Type", "application/json").body(body)
    }

    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_string()));
        }
        self
    }

    pub(crate) fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        if let Self::Answer { body, .. } = &mut self {
            *body = bytes.into();
        }
        self
    }
}

/// A running script.
pub(crate) struct Script {
    pub(crate) host: String,
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
}

impl Script {
    /// Starts a server that answers each request by `answer`, which also gets how many came before it.
    pub(crate) async fn start(
        answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (kept, answer) = (seen.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, kept.clone(), answer.clone()));
            }
        });
        Self { host, seen }
    }

    /// All requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How many requests of that method came.
    pub(crate) fn count(&self, method: &str) -> usize {
        self.seen().iter().filter(|seen| seen.method == method).count()
    }

    /// A repository `shop/api` on this server.
    pub(crate) fn repository(&self) -> RemoteRepository {
        self.repository_with(quick())
    }

    pub(crate) fn repository_with(&self, settings: RegistrySettings) -> RemoteRepository {
        install_provider();
        let registry = Registry::new(self.host.parse().unwrap(), settings).unwrap();
        registry.repository("shop/api".parse().unwrap())
    }
}

/// Installs the TLS provider once for all tests, as the binary does in `main`.
pub(crate) fn install_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        rustls::crypto::ring::default_provider().install_default().unwrap();
    });
}

/// Settings whose pauses do not show in a test.
pub(crate) fn quick() -> RegistrySettings {
    RegistrySettings {
        patience: Patience {
            idle: Duration::from_secs(20),
            first_pause: Duration::from_millis(1),
            ..Patience::default()
        },
        ..RegistrySettings::default()
    }
}

async fn serve<F>(mut stream: TcpStream, kept: Arc<Mutex<Vec<Seen>>>, answer: Arc<F>)
where
    F: Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
{
    while let Some(seen) = read(&mut stream).await {
        let nth = {
            let mut kept = kept.lock().unwrap();
            kept.push(seen.clone());
            kept.len() - 1
        };
        let reply = answer(&seen, nth);
        if !write(&mut stream, reply, &seen.method).await {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut seen = Seen { method, target, headers, body: Vec::new() };
    let length: usize = seen.header("content-length").map_or(0, |text| text.parse().unwrap());
    assert!(seen.header("transfer-encoding").is_none(), "bodies have a length");
    seen.body = vec![0; length];
    stream.read_exact(&mut seen.body).await.ok()?;
    Some(seen)
}

/// Writes a reply; whether the connection goes on.
async fn write(stream: &mut TcpStream, reply: Reply, method: &str) -> bool {
    let (reply, sent_max) = match reply {
        Reply::Short(reply, bytes) => (*reply, Some(bytes)),
        other @ (Reply::Answer { .. } | Reply::Nothing | Reply::Silence) => (other, None),
    };
    let (status, headers, body) = match reply {
        Reply::Answer { status, headers, body } => (status, headers, body),
        Reply::Nothing | Reply::Short(..) => return false,
        Reply::Silence => {
            std::future::pending::<()>().await;
            return false;
        }
    };
    let mut head = format!("HTTP/1.1 {status} x\r\n");
    if !headers.iter().any(|(name, _)| name == "Content-Length") {
        head += &format!("Content-Length: {}\r\n", body.len());
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    let sent = sent_max.unwrap_or(body.len()).min(body.len());
    let body = if method == "HEAD" { &[][..] } else { &body[..sent] };
    let written = [head.as_bytes(), b"\r\n", body].concat();
    stream.write_all(&written).await.is_ok() && sent_max.is_none()
}
