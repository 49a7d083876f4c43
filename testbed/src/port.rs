//! Ports of this machine: a free one to start a server on, and the question whether it answers.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Names a loopback port that was free a moment ago.
///
/// For peers that cannot be given port 0. Another program may take the port in between, so a
/// caller that starts a peer on it tries again with another one.
///
/// # Errors
/// No port can be bound at all.
pub fn free_port() -> Result<u16> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no loopback port can be bound")?;
    Ok(listener.local_addr()?.port())
}

/// Tells whether `GET path` on a loopback port is answered with HTTP, whatever the status.
#[must_use]
pub fn answers_http(port: u16, path: &str) -> bool {
    ask(port, path).is_some_and(|line| line.starts_with(b"HTTP/1."))
}

fn ask(port: u16, path: &str) -> Option<[u8; 12]> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_WITHIN).ok()?;
    stream.set_read_timeout(Some(ANSWER_WITHIN)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").ok()?;
    let mut line = [0; 12];
    stream.read_exact(&mut line).ok()?;
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_can_be_bound_and_answers_nothing() {
        let port = free_port().unwrap();
        assert!(!answers_http(port, "/"));
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    }
}
