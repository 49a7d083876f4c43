//! One HTTP/1.1 connection in cleartext, kept open; one request at a time.
//!
//! ```text
//! PUT /v2/shop/api/manifests/1 HTTP/1.1  ->  Answer { status: 201, headers, body }
//! ```
//! No retry, no redirect, no cache: what the server said is what the test sees.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// No answer of a loopback server takes this long.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// Larger answers are an error of the server under test, in bytes.
const BODY_BYTES_MAX: u64 = 1 << 30;

/// A connection to one server.
#[derive(Debug)]
pub struct Http {
    stream: BufReader<TcpStream>,
    host: String,
    authorization: Option<String>,
}

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status, such as 201.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of that name, given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text, whatever it holds.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The answer itself, if it has this status.
    ///
    /// # Errors
    /// It has another one; the error shows the body.
    pub fn expect(self, status: u16) -> Result<Self> {
        ensure!(
            self.status == status,
            "expected {status}, was answered {}: {}",
            self.status,
            self.text()
        );
        Ok(self)
    }
}

impl Http {
    /// Connects to `host`, such as `127.0.0.1:5080`.
    ///
    /// # Errors
    /// Nothing listens there.
    pub fn connect(host: &str) -> Result<Self> {
        let stream = TcpStream::connect(host).with_context(|| format!("cannot reach {host}"))?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        stream.set_write_timeout(Some(ANSWER_WITHIN))?;
        // Small requests would wait for the acknowledgement of the one before.
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::with_capacity(64 << 10, stream),
            host: host.to_owned(),
            authorization: None,
        })
    }

    /// Sends this token with each request from now on.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.authorization = Some(format!("Bearer {token}"));
        self
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// The connection broke, or the answer is no HTTP/1.1.
    pub fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer> {
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", self.host);
        let authorization = self.authorization.as_deref();
        let own = authorization.map(|value| ("Authorization", value));
        for (name, value) in headers.iter().copied().chain(own) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !matches!(method, "GET" | "HEAD") || !body.is_empty() {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut request = head.into_bytes();
        // One write for small requests, no copy of large ones.
        if body.len() <= 16 << 10 {
            request.extend_from_slice(body);
            self.stream.get_mut().write_all(&request)?;
        } else {
            self.stream.get_mut().write_all(&request)?;
            self.stream.get_mut().write_all(body)?;
        }
        self.read_answer(method)
    }

    /// `GET` without further headers.
    ///
    /// # Errors
    /// As [`Http::send`].
    pub fn get(&mut self, target: &str) -> Result<Answer> {
        self.send("GET", target, &[], &[])
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        ensure!(line.ends_with('\n'), "the connection ended inside an answer");
        Ok(line.trim_end().to_owned())
    }

    fn read_answer(&mut self, method: &str) -> Result<Answer> {
        let first = self.line()?;
        let status = first
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3)?.parse().ok())
            .with_context(|| format!("no HTTP/1.1 status: {first}"))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) =
                line.split_once(':').with_context(|| format!("no header: {line}"))?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut answer = Answer { status, headers, body: Vec::new() };
        if method != "HEAD" && !matches!(status, 204 | 304) {
            answer.body = self.read_body(&answer)?;
        }
        Ok(answer)
    }

    fn read_body(&mut self, answer: &Answer) -> Result<Vec<u8>> {
        if answer.header("transfer-encoding") == Some("chunked") {
            return self.read_chunks();
        }
        let Some(length) = answer.header("content-length") else {
            bail!("an answer has neither a length nor chunks");
        };
        let mut body = Vec::new();
        self.read_exactly(length.parse()?, &mut body)?;
        Ok(body)
    }

    fn read_chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let size = u64::from_str_radix(&self.line()?, 16).context("the size of a chunk")?;
            self.read_exactly(size, &mut body)?;
            ensure!(self.line()?.is_empty(), "a chunk is longer than it says");
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn read_exactly(&mut self, length: u64, body: &mut Vec<u8>) -> Result<()> {
        ensure!(length <= BODY_BYTES_MAX, "a body of {length} bytes");
        body.reserve(usize::try_from(length)?);
        let read = self.stream.by_ref().take(length).read_to_end(body)?;
        ensure!(read as u64 == length, "a body ended early");
        Ok(())
    }
}
