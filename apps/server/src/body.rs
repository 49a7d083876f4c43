//! Bodies: what goes out, and what comes in, with a limit on every byte and every wait.

use crate::activity::Activity;
use crate::options::BODY_BYTES_PER_SECOND_MIN;
use crate::reply::Refusal;
use bytes::{Bytes, BytesMut};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use store::{BlobError, BlobReader};

/// What is read of a body that was refused, so that the client gets the answer instead of a reset.
const DRAIN_BYTES_MAX: u64 = 32 << 20;
/// The longest that this takes.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(5);

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Body {
    /// All of it at hand; `None`: nothing, or no more.
    Full(Option<Bytes>),
    /// A blob, or a part of one.
    Blob { reading: Reading, left: u64 },
    /// An answer of the API.
    Api(axum::body::Body),
}

/// A blob's reader, at rest or at work.
pub(crate) enum Reading {
    Rest(Option<BlobReader>),
    Work(Pin<Box<dyn Future<Output = Piece> + Send>>),
}

type Piece = (BlobReader, Option<Result<Bytes, BlobError>>);

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Rest(_) => "Rest",
            Self::Work(_) => "Work",
        })
    }
}

/// A body that ended before its announced length: the connection is cut, the client sees it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the blob could not be read to its end")]
    Blob(#[source] BlobError),
    #[error("the blob is shorter than it was")]
    Short,
    #[error("the answer could not be written")]
    Api(#[source] axum::Error),
}

impl Body {
    pub(crate) fn empty() -> Self {
        Self::Full(None)
    }

    pub(crate) fn full(bytes: Bytes) -> Self {
        Self::Full(Some(bytes))
    }

    /// `length` bytes from a reader that is placed at the first of them.
    pub(crate) fn blob(reader: BlobReader, length: u64) -> Self {
        Self::Blob { reading: Reading::Rest(Some(reader)), left: length }
    }
}

fn poll_blob(
    reading: &mut Reading,
    left: &mut u64,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
    if *left == 0 {
        return Poll::Ready(None);
    }
    if let Reading::Rest(reader) = reading {
        let Some(mut reader) = reader.take() else {
            return Poll::Ready(None);
        };
        *reading = Reading::Work(Box::pin(async move {
            let piece = reader.next().await;
            (reader, piece)
        }));
    }
    let Reading::Work(work) = reading else {
        return Poll::Ready(None);
    };
    let (reader, piece) = ready!(work.as_mut().poll(cx));
    *reading = Reading::Rest(Some(reader));
    let read = match piece {
        None => Err(BodyError::Short),
        Some(Err(error)) => Err(BodyError::Blob(error)),
        Some(Ok(bytes)) => Ok(bytes),
    };
    if let Err(error) = &read {
        tracing::error!(%error, "a blob was not sent to its end");
        *reading = Reading::Rest(None);
    }
    Poll::Ready(Some(read.map(|bytes| {
        *left = left.saturating_sub(bytes.len() as u64);
        Frame::data(bytes)
    })))
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Blob { reading, left } => poll_blob(reading, left, cx),
            Self::Api(body) => Pin::new(body)
                .poll_frame(cx)
                .map(|frame| frame.map(|frame| frame.map_err(BodyError::Api))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_none(),
            Self::Blob { left, .. } => *left == 0,
            Self::Api(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Self::Blob { left, .. } => SizeHint::with_exact(*left),
            Self::Api(body) => body.size_hint(),
        }
    }
}

/// A body on its way out; each piece that the client takes is a sign of life.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) body: Body,
    pub(crate) activity: Arc<Activity>,
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.activity.moved();
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body on its way in.
#[derive(Debug)]
pub(crate) struct Incomings<'a> {
    body: &'a mut Incoming,
    idle: Duration,
    began: Instant,
    received: u64,
}

impl<'a> Incomings<'a> {
    pub(crate) fn new(body: &'a mut Incoming, idle: Duration) -> Self {
        Self { body, idle, began: Instant::now(), received: 0 }
    }

    /// The next piece; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            let frame = tokio::time::timeout(self.idle, self.body.frame())
                .await
                .map_err(|_| Refusal::BodyBroken("the body stood still for too long"))?;
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|_| Refusal::BodyBroken("the body ended before its end"))?;
            let Ok(bytes) = frame.into_data() else {
                continue;
            };
            self.received += bytes.len() as u64;
            let allowed = Duration::from_secs(self.received / BODY_BYTES_PER_SECOND_MIN);
            if self.began.elapsed() > self.idle + allowed {
                return Err(Refusal::BodyBroken("the body came too slowly"));
            }
            return Ok(Some(bytes));
        }
    }

    /// All of it, at most so many bytes.
    pub(crate) async fn whole(mut self, bytes_max: usize, what: &str) -> Result<Bytes, Refusal> {
        let too_large =
            || Refusal::TooLarge { message: format!("{what} has at most {bytes_max} bytes here") };
        if self.body.size_hint().lower() > bytes_max as u64 {
            return Err(too_large());
        }
        let mut first: Option<Bytes> = None;
        let mut all = BytesMut::new();
        while let Some(piece) = self.next().await? {
            if self.received > bytes_max as u64 {
                return Err(too_large());
            }
            match first.take() {
                // One piece is the usual case, and is not copied.
                None if all.is_empty() => first = Some(piece),
                None => all.extend_from_slice(&piece),
                Some(begin) => {
                    all.extend_from_slice(&begin);
                    all.extend_from_slice(&piece);
                }
            }
        }
        Ok(first.unwrap_or_else(|| all.freeze()))
    }
}

/// Reads what is still coming, within limits, so that the refusal reaches its client.
pub(crate) async fn drain(body: &mut Incoming) {
    if body.size_hint().lower() > DRAIN_BYTES_MAX {
        return;
    }
    let mut left = DRAIN_BYTES_MAX;
    let rest = async {
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, |bytes| bytes.len() as u64);
            left = left.saturating_sub(length);
            if left == 0 {
                break;
            }
        }
    };
    // A client that does not end its body in time gets a reset, as it would have without this.
    let _ = tokio::time::timeout(DRAIN_TIME_MAX, rest).await;
}
