//! The registry of the demo: `indelible serve` on a free port of this machine.

use super::DemoError;
use super::background::Background;
use super::shell::{Shell, Teller};

/// The beginning of every address on loopback.
const LOOPBACK: &str = "127.0.0.1:";

/// A server that is stopped when this value is dropped.
#[derive(Debug)]
pub(super) struct Server {
    background: Background,
    address: String,
}

impl Server {
    /// Starts the server in a shell's folder, with its data below it, and waits until it is ready.
    pub(super) async fn start(teller: &mut Teller, shell: &Shell) -> Result<Self, DemoError> {
        let words = ["indelible", "serve", "--quiet", "--data", "data", "--listen", "127.0.0.1:0"];
        let command = ("indelible serve", &words[..]);
        let mut background = Background::start(teller, shell, command, "server.log")?;
        let address = background.wait_for("address", address_in).await?;
        teller.typed_only(shell, "cat server.log");
        teller.show(&background.printed());
        Ok(Self { background, address })
    }

    /// Where it listens, such as `127.0.0.1:40123`.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Lets it run on, and gives its id.
    pub(super) fn leave(self) -> u32 {
        self.background.leave()
    }
}

/// The first whole address on loopback with a real port.
fn address_in(text: &str) -> Option<String> {
    text.match_indices(LOOPBACK).find_map(|(at, _)| {
        let rest = &text[at + LOOPBACK.len()..];
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        // What follows the port proves that its last digit has been written.
        let is_whole = rest.len() > digits;
        let port: u16 = rest[..digits].parse().ok().filter(|port| *port != 0 && is_whole)?;
        Some(format!("{LOOPBACK}{port}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_when_all_of_it_is_there() {
        assert_eq!(
            address_in("serving http://127.0.0.1:40123\n").as_deref(),
            Some("127.0.0.1:40123")
        );
        assert_eq!(
            address_in("asked for 127.0.0.1:0, got 127.0.0.1:7 now").as_deref(),
            Some("127.0.0.1:7")
        );
        for not_yet in ["", "127.0.0.1:", "127.0.0.1:401", "127.0.0.1:0\n", "127.0.0.1:99999\n"] {
            assert_eq!(address_in(not_yet), None, "{not_yet}");
        }
    }
}
