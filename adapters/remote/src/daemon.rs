//! `docker-daemon:`: an image of a docker daemon on this machine, saved to a file and read as an archive.
//!
//! ```text
//! unix:///var/run/docker.sock  GET /images/shop/api:1/get  ->  a tar  ->  DockerArchive
//! ```
//! Only over a Unix socket, or TCP to loopback: the daemon's API is root on its machine. Source: Docker
//! Engine API, "Export an image".

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt as _;

use crate::archive::DockerArchive;
use crate::error::{RemoteError, Stage, shown};

/// Where the daemon listens unless it is told otherwise.
pub const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
/// The largest image that is saved, in bytes.
pub const SAVED_BYTES_MAX: u64 = 64 << 30;

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// Until the first byte: a daemon with a slow disk collects the layers first, minutes for a large image.
const FIRST_BYTE_WITHIN: Duration = Duration::from_secs(600);
const IDLE: Duration = Duration::from_secs(60);
const ERROR_BYTES_MAX: usize = 64 << 10;
/// What stays as it is in the name's part of the path; `/` too, which the daemon expects there.
const KEPT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'/').remove(b':').remove(b'@');

/// Where a docker daemon listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DockerHost {
    /// At a socket in the file system.
    Unix(PathBuf),
    /// At a port of this machine, in clear text.
    Loopback {
        /// `127.0.0.1:2375`.
        authority: String,
    },
}

/// The text is no place of a daemon that is asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a docker daemon that is asked: write unix:///PATH, or tcp://127.0.0.1:PORT", text = text.escape_debug())]
pub struct DockerHostError {
    text: String,
}

impl Default for DockerHost {
    fn default() -> Self {
        Self::Unix(PathBuf::from(DEFAULT_SOCKET))
    }
}

impl FromStr for DockerHost {
    type Err = DockerHostError;

    /// Reads the value of `DOCKER_HOST`.
    fn from_str(text: &str) -> Result<Self, DockerHostError> {
        let wrong = || DockerHostError { text: text.chars().take(128).collect() };
        if let Some(path) = text.strip_prefix("unix://") {
            let path = PathBuf::from(path);
            return if path.is_absolute() { Ok(Self::Unix(path)) } else { Err(wrong()) };
        }
        let rest = text.strip_prefix("tcp://").or_else(|| text.strip_prefix("http://"));
        let authority = rest.ok_or_else(wrong)?.trim_end_matches('/');
        let host: domain::RegistryHost = authority.parse().map_err(|_| wrong())?;
        if host.is_loopback() {
            let authority = authority.to_owned();
            Ok(Self::Loopback { authority })
        } else {
            Err(wrong())
        }
    }
}

impl std::fmt::Display for DockerHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Loopback { authority } => write!(f, "tcp://{authority}"),
        }
    }
}

/// A docker daemon on this machine.
#[derive(Clone, Debug)]
pub struct Daemon {
    client: reqwest::Client,
    base: String,
    place: String,
}

impl Daemon {
    /// Makes a client; nothing is sent yet.
    ///
    /// # Errors
    /// The client cannot be set up.
    pub fn new(host: &DockerHost) -> Result<Self, RemoteError> {
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_WITHIN)
            .tls_certs_only([]);
        let (builder, base) = match host {
            DockerHost::Unix(path) => {
                (builder.unix_socket(path.as_path()), "http://docker".to_owned())
            }
            DockerHost::Loopback { authority } => (builder, format!("http://{authority}")),
        };
        let client = builder
            .build()
            .map_err(|cause| RemoteError::Setup { host: host.to_string(), cause: cause.into() })?;
        let place = format!("docker daemon at {host}");
        Ok(Self { client, base, place })
    }

    /// Saves an image to a file in `temp` and opens it; the file goes with the archive's last clone.
    ///
    /// # Errors
    /// No daemon answers there, it has no such image, or what it sends is no archive.
    pub async fn open(&self, image: &str, temp: &Path) -> Result<DockerArchive, RemoteError> {
        let name = utf8_percent_encode(image, KEPT);
        let url = format!("{}/images/{name}/get", self.base);
        let sent = tokio::time::timeout(FIRST_BYTE_WITHIN, self.client.get(url).send()).await;
        let response = match sent {
            Ok(sent) => sent.map_err(|error| self.unreachable(error))?,
            Err(_elapsed) => return Err(self.timeout(FIRST_BYTE_WITHIN)),
        };
        let status = response.status().as_u16();
        if status != 200 {
            return Err(self.refusal(image, status, response).await);
        }
        let saved = self.save(response, temp).await?;
        DockerArchive::open_saved(saved.into_temp_path(), temp).await
    }

    async fn save(
        &self,
        mut response: reqwest::Response,
        temp: &Path,
    ) -> Result<NamedTempFile, RemoteError> {
        let failed = |cause| RemoteError::file("write", temp, cause);
        let saved = NamedTempFile::new_in(temp).map_err(failed)?;
        let mut file = tokio::fs::File::from_std(saved.reopen().map_err(failed)?);
        let mut total = 0;
        loop {
            let piece = match tokio::time::timeout(IDLE, response.chunk()).await {
                Ok(piece) => piece.map_err(|error| self.unreachable(error))?,
                Err(_elapsed) => return Err(self.timeout(IDLE)),
            };
            let Some(piece) = piece else {
                break;
            };
            total += piece.len() as u64;
            if total > SAVED_BYTES_MAX {
                return Err(RemoteError::TooLarge {
                    what: format!("the image of the {}", self.place),
                    max: SAVED_BYTES_MAX,
                });
            }
            file.write_all(&piece).await.map_err(failed)?;
        }
        file.flush().await.map_err(failed)?;
        Ok(saved)
    }

    async fn refusal(
        &self,
        image: &str,
        status: u16,
        mut response: reqwest::Response,
    ) -> RemoteError {
        #[derive(serde::Deserialize)]
        struct Said {
            message: String,
        }
        let mut body = Vec::new();
        while let Ok(Ok(Some(piece))) = tokio::time::timeout(IDLE, response.chunk()).await {
            body.extend_from_slice(&piece);
            if body.len() > ERROR_BYTES_MAX {
                break;
            }
        }
        let said = serde_json::from_slice::<Said>(&body).ok();
        let said = said.map_or_else(String::new, |said| format!(" `{}`", shown(&said.message)));
        let answered = format!("{} answered {status}{said}", self.place);
        if status == 404 {
            let what = format!("image `{}`", shown(image));
            return RemoteError::NotFound { what, said: answered };
        }
        RemoteError::protocol(answered, format!("the image `{}` was not saved", shown(image)))
    }

    fn unreachable(&self, error: reqwest::Error) -> RemoteError {
        let stage = if error.is_connect() { Stage::Connecting } else { Stage::Talking };
        let cause = error.without_url().into();
        RemoteError::Unreachable { place: self.place.clone(), stage, cause }
    }

    fn timeout(&self, waited: Duration) -> RemoteError {
        let place = self.place.clone();
        RemoteError::Timeout { place, waited }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_is_at_a_socket_or_at_loopback() {
        for text in [
            "unix:///var/run/docker.sock",
            "tcp://127.0.0.1:2375",
            "tcp://[::1]:2375",
            "tcp://localhost:2375",
        ] {
            assert_eq!(text.parse::<DockerHost>().unwrap().to_string(), text);
        }
        for bad in [
            "",
            "unix://relative",
            "tcp://10.0.0.1:2375",
            "ssh://host",
            "npipe:////./pipe/docker",
            "/var/run/docker.sock",
        ] {
            assert!(bad.parse::<DockerHost>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_stays_one_path() {
        let encoded = utf8_percent_encode("shop/api:1?x#y z", KEPT).to_string();
        assert_eq!(encoded, "shop/api:1%3Fx%23y%20z");
    }
}
