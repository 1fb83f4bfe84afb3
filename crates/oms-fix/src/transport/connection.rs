//! One connection: what was read and not yet cut, what is to be written.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead as _, AsyncWrite as _, AsyncWriteExt as _, ReadBuf};
use tokio::time::Instant;

use super::stream::Stream;
use crate::codec::frame::Framer;

/// A write buffer that grew beyond this is given back once it is empty, in bytes.
const KEPT: usize = 256 << 10;
/// How long the last bytes of a connection may take.
const LAST_WRITE: Duration = Duration::from_secs(2);

pub(super) struct Connection {
    stream: Stream,
    pub(super) framer: Framer,
    unsent: Vec<u8>,
    /// Bytes at the front of `unsent` that were written.
    sent: usize,
    needs_flush: bool,
    /// Since when bytes wait without any being taken.
    stalled: Option<Instant>,
}

/// What came of waiting for a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Io {
    /// There are new bytes.
    Read,
    /// Bytes were written.
    Wrote,
    /// It ended, or failed.
    Ended,
}

impl Connection {
    pub(super) fn new(stream: Stream, framer: Framer) -> Self {
        Self { stream, framer, unsent: Vec::new(), sent: 0, needs_flush: false, stalled: None }
    }

    /// Bytes that wait to be written.
    pub(super) fn waiting(&self) -> usize {
        self.unsent.len() - self.sent
    }

    /// When the connection is given up because nothing can be written.
    pub(super) fn stall_deadline(&self, limit: Duration) -> Option<Instant> {
        self.stalled.map(|since| since + limit)
    }

    /// Adds bytes to what is to be written; takes them out of `bytes`.
    pub(super) fn write(&mut self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        if self.waiting() == 0 {
            std::mem::swap(&mut self.unsent, bytes);
            self.sent = 0;
            self.stalled = Some(Instant::now());
        } else {
            self.unsent.extend_from_slice(bytes);
        }
        bytes.clear();
    }

    /// Waits until something was written or, if `read`, something came.
    pub(super) async fn io(&mut self, read: bool) -> Io {
        poll_fn(|cx| self.poll_io(cx, read)).await
    }

    fn poll_io(&mut self, cx: &mut Context<'_>, read: bool) -> Poll<Io> {
        if let Poll::Ready(io) = self.poll_send(cx) {
            return Poll::Ready(io);
        }
        if !read {
            return Poll::Pending;
        }
        let mut buffer = ReadBuf::new(self.framer.space());
        match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                let count = buffer.filled().len();
                self.framer.filled(count);
                Poll::Ready(Io::Read)
            }
            Poll::Ready(_) => Poll::Ready(Io::Ended),
        }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Io> {
        let mut wrote = false;
        while 0 < self.waiting() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.unsent[self.sent..]) {
                Poll::Ready(Ok(count)) if 0 < count => {
                    (self.sent, self.needs_flush, wrote) = (self.sent + count, true, true);
                    self.stalled = Some(Instant::now());
                }
                Poll::Ready(_) => return Poll::Ready(Io::Ended),
                Poll::Pending => break,
            }
        }
        if self.waiting() == 0 {
            self.unsent.clear();
            self.unsent.shrink_to(KEPT);
            (self.sent, self.stalled) = (0, None);
        } else if self.unsent.len() / 2 < self.sent {
            self.unsent.drain(..self.sent);
            self.sent = 0;
        }
        if self.needs_flush {
            match Pin::new(&mut self.stream).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.needs_flush = false,
                Poll::Ready(Err(_)) => return Poll::Ready(Io::Ended),
                Poll::Pending => (),
            }
        }
        if wrote && self.waiting() == 0 { Poll::Ready(Io::Wrote) } else { Poll::Pending }
    }

    /// Writes what is left, for a short while, and closes.
    pub(super) async fn close(mut self) {
        let last = async {
            while 0 < self.waiting() || self.needs_flush {
                if self.io(false).await == Io::Ended {
                    return;
                }
            }
            // The other side learns that nothing follows; whether it has gone already does not matter.
            let _ = self.stream.shutdown().await;
        };
        let _ = tokio::time::timeout(LAST_WRITE, last).await;
    }
}
