//! Numbers for Prometheus beside those of the server itself, and a door of their own where no server runs.
//!
//! ```text
//! indelible watch --metrics 127.0.0.1:9464   ->   GET /metrics, GET /healthz, and nothing else
//! ```
//! Nothing can be written here, and nobody is asked for a token: whoever opens the door says to whom.

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections that are served at once; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 16;
/// A request's head.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// One connection, however many requests it brings.
const CONNECTION_WITHIN: Duration = Duration::from_secs(300);
/// How long to wait when the system has no file descriptor left for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Source: Prometheus, text format, version 0.0.4.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Somebody's numbers, as text.
#[derive(Clone)]
pub struct Numbers(Arc<dyn Fn() -> String + Send + Sync>);

impl Numbers {
    /// Asks this whenever somebody wants to know.
    #[must_use]
    pub fn of(text: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(text))
    }

    pub(crate) fn text(&self) -> String {
        (self.0)()
    }
}

impl std::fmt::Debug for Numbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Numbers")
    }
}

/// Opens the door; the future that comes back serves for ever.
///
/// # Errors
/// The address is taken, or is not this machine's.
pub async fn scrape(
    listen: SocketAddr,
    numbers: Numbers,
) -> std::io::Result<(SocketAddr, impl Future<Output = Infallible>)> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    Ok((address, accept(listener, numbers)))
}

async fn accept(listener: TcpListener, numbers: Numbers) -> Infallible {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        match (listener.accept().await, place) {
            (Ok((stream, _)), Ok(place)) => {
                tokio::spawn(connection(stream, numbers.clone(), place));
            }
            (Err(error), _) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            // The places are never closed; without one nobody is served.
            (Ok(_), Err(_)) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn connection(stream: TcpStream, numbers: Numbers, place: OwnedSemaphorePermit) {
    let service = service_fn(|req: Request<Incoming>| {
        let answer = answer(&req, &numbers);
        async move { Ok::<_, Infallible>(answer) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .serve_connection(TokioIo::new(stream), service);
    // A client that hangs up, or stays, is no news.
    let _either = tokio::time::timeout(CONNECTION_WITHIN, served).await;
    drop(place);
}

fn answer<B>(req: &Request<B>, numbers: &Numbers) -> Response<Full<Bytes>> {
    let is_read = matches!(*req.method(), Method::GET | Method::HEAD);
    let (status, text) = match req.uri().path() {
        _ if !is_read => (StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n".to_owned()),
        "/metrics" => (StatusCode::OK, numbers.text()),
        "/healthz" => (StatusCode::OK, "ok\n".to_owned()),
        _ => (StatusCode::NOT_FOUND, "there are /metrics and /healthz\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static(CONTENT_TYPE);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(method: Method, path: &str) -> StatusCode {
        let req = Request::builder().method(method).uri(path).body(()).unwrap();
        answer(&req, &Numbers::of(|| "a 1\n".to_owned())).status()
    }

    #[test]
    fn numbers_are_read_and_nothing_is_written() {
        assert_eq!(ask(Method::GET, "/metrics"), StatusCode::OK);
        assert_eq!(ask(Method::HEAD, "/healthz"), StatusCode::OK);
        assert_eq!(ask(Method::POST, "/metrics"), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(ask(Method::GET, "/v2/"), StatusCode::NOT_FOUND);
    }
}
