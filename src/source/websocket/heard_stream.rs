//! A TCP stream that knows when bytes came last.
//!
//! A large message may take longer to arrive than a connection may be quiet. Its bytes show that the peer
//! lives long before it is whole; no answer to a ping can come in between.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::clock;

/// A TCP stream that notes when bytes came.
#[derive(Debug)]
pub(super) struct HeardStream {
    tcp: TcpStream,
    last: LastHeard,
}

/// When bytes came last. Clones are of the same stream.
#[derive(Clone, Debug)]
pub(super) struct LastHeard {
    began: Instant,
    /// Nanoseconds since then.
    after: Arc<AtomicU64>,
}

impl HeardStream {
    pub(super) fn new(tcp: TcpStream) -> Self {
        let last = LastHeard {
            began: clock::instant(),
            after: Arc::default(),
        };
        Self { tcp, last }
    }

    pub(super) fn last_heard(&self) -> LastHeard {
        self.last.clone()
    }
}

impl LastHeard {
    pub(super) fn at(&self) -> Instant {
        self.began + Duration::from_nanos(self.after.load(Ordering::Relaxed))
    }

    fn note(&self) {
        let after = clock::instant().saturating_duration_since(self.began);
        let after = u64::try_from(after.as_nanos()).unwrap_or(u64::MAX);
        self.after.store(after, Ordering::Relaxed);
    }
}

impl AsyncRead for HeardStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.tcp).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.last.note();
        }
        read
    }
}

impl AsyncWrite for HeardStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}
