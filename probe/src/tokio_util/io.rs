//! Helpers for I/O: tokio-util's [`io`](::tokio_util::io) module, with the drop-in's handle of a runtime.
use std::io::{self, BufRead, IoSlice, Read, Seek, SeekFrom, Write};

pub use ::tokio_util::io::*;

use crate::tokio::{
    io::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite},
    runtime::Handle,
};

/// Blocking I/O on what is asynchronous; see [tokio-util's](::tokio_util::io::SyncIoBridge).
#[derive(Debug)]
pub struct SyncIoBridge<T> {
    inner: ::tokio_util::io::SyncIoBridge<T>,
}

impl<T: Unpin> SyncIoBridge<T> {
    /// See [`SyncIoBridge::new`](::tokio_util::io::SyncIoBridge::new).
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn new(src: T) -> Self {
        Self { inner: ::tokio_util::io::SyncIoBridge::new(src) }
    }

    /// See [`SyncIoBridge::new_with_handle`](::tokio_util::io::SyncIoBridge::new_with_handle).
    pub fn new_with_handle(src: T, rt: Handle) -> Self {
        Self { inner: ::tokio_util::io::SyncIoBridge::new_with_handle(src, rt.into()) }
    }

    /// See [`SyncIoBridge::into_inner`](::tokio_util::io::SyncIoBridge::into_inner).
    pub fn into_inner(self) -> T {
        self.inner.into_inner()
    }
}

impl<T: AsyncWrite> SyncIoBridge<T> {
    /// See [`SyncIoBridge::is_write_vectored`](::tokio_util::io::SyncIoBridge::is_write_vectored).
    pub fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

impl<T: AsyncWrite + Unpin> SyncIoBridge<T> {
    /// See [`SyncIoBridge::shutdown`](::tokio_util::io::SyncIoBridge::shutdown).
    ///
    /// # Errors
    /// Those of the writer.
    pub fn shutdown(&mut self) -> io::Result<()> {
        self.inner.shutdown()
    }
}

impl<T: AsyncBufRead + Unpin> BufRead for SyncIoBridge<T> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.inner.consume(amount);
    }

    fn read_until(&mut self, byte: u8, buf: &mut Vec<u8>) -> io::Result<usize> {
        self.inner.read_until(byte, buf)
    }

    fn read_line(&mut self, buf: &mut String) -> io::Result<usize> {
        self.inner.read_line(buf)
    }
}

impl<T: AsyncRead + Unpin> Read for SyncIoBridge<T> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buf)
    }

    fn read_to_end(&mut self, buf: &mut Vec<u8>) -> io::Result<usize> {
        self.inner.read_to_end(buf)
    }

    fn read_to_string(&mut self, buf: &mut String) -> io::Result<usize> {
        self.inner.read_to_string(buf)
    }

    fn read_exact(&mut self, buf: &mut [u8]) -> io::Result<()> {
        self.inner.read_exact(buf)
    }
}

impl<T: AsyncWrite + Unpin> Write for SyncIoBridge<T> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.inner.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }

    fn write_all(&mut self, buf: &[u8]) -> io::Result<()> {
        self.inner.write_all(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.inner.write_vectored(bufs)
    }
}

impl<T: AsyncSeek + Unpin> Seek for SyncIoBridge<T> {
    fn seek(&mut self, pos: SeekFrom) -> io::Result<u64> {
        self.inner.seek(pos)
    }
}

impl<T> AsMut<T> for SyncIoBridge<T> {
    fn as_mut(&mut self) -> &mut T {
        self.inner.as_mut()
    }
}

impl<T> AsRef<T> for SyncIoBridge<T> {
    fn as_ref(&self) -> &T {
        self.inner.as_ref()
    }
}
