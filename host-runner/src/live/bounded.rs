//! Bytes from the network, as many as were announced and no more.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

/// Keeps what is written, up to a limit.
#[derive(Debug)]
pub(super) struct Bounded {
    pub(super) bytes: Vec<u8>,
    limit: usize,
}

impl Bounded {
    pub(super) fn new(limit: usize) -> Self {
        Bounded { bytes: Vec::new(), limit }
    }

    /// For what a manifest says has this size, and is never larger than `most`.
    pub(super) fn of_size(size: i64, most: usize) -> Self {
        Bounded::new(usize::try_from(size).unwrap_or(0).min(most))
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, part: &[u8]) -> Poll<io::Result<usize>> {
        if self.bytes.len() + part.len() > self.limit {
            return Poll::Ready(Err(io::Error::other(format!(
                "there is more than the {} bytes announced",
                self.limit
            ))));
        }
        self.bytes.extend_from_slice(part);
        Poll::Ready(Ok(part.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn more_than_was_announced_is_an_error() {
        let mut bounded = Bounded::of_size(4, 1 << 20);
        let mut write = |part: &[u8]| Pin::new(&mut bounded).poll_write(&mut Context::from_waker(Waker::noop()), part);
        assert!(matches!(write(b"abc"), Poll::Ready(Ok(3))));
        assert!(matches!(write(b"de"), Poll::Ready(Err(_))));
        assert!(matches!(write(b"d"), Poll::Ready(Ok(1))));
        assert_eq!(bounded.bytes, b"abcd");
    }
}
