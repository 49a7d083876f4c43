//! How often a request is sent again, and after which pause.
//!
//! ```text
//! 429, Retry-After: 30     again in 30 s, five times; 121 s and more are told to the person instead
//! 429, nothing left in 6 h told at once: no retry of ours outlives the window
//! 503, a broken answer     five times again, with pauses that double
//! nobody listens           twice again, within two seconds
//! ```

use std::future::Future;
use std::time::Duration;

use oci::client::retry::{RetryAfter, is_worth_a_retry};

use super::answer::Answer;
use super::connection::Connection;
use super::patience::Patience;
use super::request::Again;
use crate::error::{RemoteError, Stage};

impl Connection {
    /// Tries again after what may be otherwise next time.
    pub(super) async fn patiently<F, T>(&self, again: Again, send: F) -> Result<Answer, RemoteError>
    where
        F: Fn() -> T,
        T: Future<Output = Result<Answer, RemoteError>>,
    {
        let patience = self.patience();
        let mut tried = 0;
        loop {
            tried += 1;
            self.pace.wait().await;
            let result = send().await;
            let pause = match &result {
                Ok(answer) if is_worth_a_retry(answer.status()) => match answer.retry_after() {
                    Some(RetryAfter::TooLong { .. }) => None,
                    Some(RetryAfter::Wait { ms }) => {
                        let asked = Duration::from_millis(ms);
                        self.pace.pause(asked);
                        Some(asked.max(patience.pause(1)))
                    }
                    None => Some(patience.pause(tried)),
                },
                Ok(_) => None,
                Err(error) => is_transient(error).then(|| patience.pause(tried)),
            };
            let retries = match &result {
                Err(error) => retries_after(error, patience),
                Ok(_) => patience.retries,
            };
            match pause.filter(|_| again == Again::Safe && tried <= retries) {
                Some(pause) => {
                    tracing::debug!(host = %self.host(), tried, ?pause, "asking again");
                    tokio::time::sleep(pause).await;
                }
                None => return result,
            }
        }
    }
}

/// Whether the same may go well when it is tried again.
pub(super) fn is_transient(error: &RemoteError) -> bool {
    matches!(
        error,
        RemoteError::Unreachable { .. } | RemoteError::Timeout { .. } | RemoteError::Server { .. }
    )
}

/// How often the same is tried again: what nobody listens to is told soon, what is busy gets its time.
pub(super) fn retries_after(error: &RemoteError, patience: &Patience) -> u32 {
    if matches!(error, RemoteError::Unreachable { stage: Stage::Connecting, .. }) {
        patience.connect_retries.min(patience.retries)
    } else {
        patience.retries
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::registry::RegistrySettings;
    use crate::registry::request::Request;
    use tokio::time::Instant;

    /// Source: a person who typed a wrong port has to be told while they still look.
    const TOLD_WITHIN: Duration = Duration::from_secs(2);

    fn connection(host: &str) -> Connection {
        // Whichever test comes first installs it.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        Connection::new(host.parse().unwrap(), RegistrySettings::default()).unwrap()
    }

    fn own(connection: &Connection) -> http::Uri {
        oci::client::url::url(connection.scheme(), connection.host(), oci::target::PING)
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_port_is_asked_three_times_within_two_seconds() {
        // Bound and not listening: nobody else gets the port, and nobody answers at it.
        let taken = tokio::net::TcpSocket::new_v4().unwrap();
        taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let connection = connection(&taken.local_addr().unwrap().to_string());
        let request = Request::get(oci::target::PING);
        let (asked, start) = (AtomicU32::new(0), Instant::now());
        let send = || {
            asked.fetch_add(1, Ordering::SeqCst);
            connection.authorised(&request)
        };
        let error = connection.patiently(Again::Safe, send).await.unwrap_err();
        let stage = Stage::Connecting;
        assert!(
            matches!(&error, RemoteError::Unreachable { stage: found, .. } if *found == stage),
            "{error:?}"
        );
        assert_eq!(asked.load(Ordering::SeqCst), 3);
        assert!(start.elapsed() <= TOLD_WITHIN, "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_busy_or_breaks_off_gets_five_more_tries_with_longer_pauses() {
        let connection = connection("127.0.0.1:1");
        let asked = AtomicU32::new(0);
        let start = Instant::now();
        let send = async || {
            asked.fetch_add(1, Ordering::SeqCst);
            Err(connection.no_way(Stage::Talking, &own(&connection), "it broke off".to_owned()))
        };
        let result = connection.patiently(Again::Safe, send).await;
        assert!(result.is_err());
        assert_eq!(asked.load(Ordering::SeqCst), 6);
        // 0.5, 1, 2, 4 and 8 s, each at least by half.
        assert!(start.elapsed() >= Duration::from_millis(7750), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn what_must_not_be_sent_twice_is_sent_once() {
        let connection = connection("127.0.0.1:1");
        let asked = AtomicU32::new(0);
        let send = async || {
            asked.fetch_add(1, Ordering::SeqCst);
            Err(connection.no_way(
                Stage::Connecting,
                &own(&connection),
                "nobody is there".to_owned(),
            ))
        };
        assert!(connection.patiently(Again::Unsafe, send).await.is_err());
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
}
