//! Accepting connections: so many at once, none that does nothing, and a stop that lets requests end.
//!
//! HTTP/1.1 and cleartext HTTP/2 on one port, told apart by the first bytes.

use crate::activity::Activity;
use crate::app::App;
use crate::entry;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;

/// What one connection may buffer of a request's head and body, in bytes; above it hyper answers 431.
const READ_BUFFER_BYTES_MAX: usize = 256 << 10;

/// Requests that one HTTP/2 connection may have under way.
const STREAMS_MAX: u32 = 128;

/// What one HTTP/2 stream may send ahead, in bytes.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;

/// How long to wait when the system has no file descriptor left for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` says so, then until the requests under way have ended or the drain time is over.
pub(crate) async fn accept(listener: TcpListener, app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let connections_max = app.limits.connections_max;
    let places = Arc::new(Semaphore::new(connections_max));
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Ok(place) = place else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                tokio::spawn(connection(stream, peer, Arc::clone(&app), stop.clone(), place));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let all = u32::try_from(connections_max).unwrap_or(u32::MAX);
    if tokio::time::timeout(app.limits.drain, places.acquire_many(all)).await.is_err() {
        tracing::warn!("stopped while requests were under way");
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    app: Arc<App>,
    mut stop: watch::Receiver<bool>,
    place: OwnedSemaphorePermit,
) {
    // Small answers are written in one piece: waiting for more of them only costs the client time.
    let _ = stream.set_nodelay(true);
    let activity = Arc::new(Activity::new());
    let idle = app.limits.idle;
    let service = service_fn(|req: hyper::Request<Incoming>| {
        let (app, activity) = (Arc::clone(&app), Arc::clone(&activity));
        async move { Ok::<_, Infallible>(entry::answer(app, activity, peer, req).await) }
    });
    let builder = builder();
    let mut served = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut is_stopping = false;
    let mut deadline = Instant::now() + idle;
    loop {
        tokio::select! {
            // A client that hangs up is no news.
            _ = served.as_mut() => break,
            _ = tokio::time::sleep_until(deadline) => {
                let still = activity.still_for();
                if still >= idle {
                    break;
                }
                deadline = Instant::now() + (idle - still);
            }
            _ = stop.wait_for(|stop| *stop), if !is_stopping => {
                is_stopping = true;
                served.as_mut().graceful_shutdown();
            }
        }
    }
    drop(place);
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // The connection's watch does this for every phase; a second clock per request is not needed.
        .header_read_timeout(None)
        .max_buf_size(READ_BUFFER_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(4 * STREAM_WINDOW_BYTES)
        .max_header_list_size(oci::limit::HEADER_BYTES_MAX as u32);
    builder
}
