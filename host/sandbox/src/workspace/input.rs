//! A file that a guest reads as a stream.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use wasmtime_wasi::p2::{DynInputStream, InputStream, Pollable, StreamError, StreamResult};

use super::calls::Calls;
use crate::meter::Toll;

/// WASI's own stream, whose bytes are charged, and each part of which counts as a call.
pub(super) struct ChargedInput {
    inner: DynInputStream,
    toll: Arc<Toll>,
    calls: Calls,
    /// How long the next part was waited for.
    waited: Duration,
}

impl ChargedInput {
    pub(super) fn new(inner: DynInputStream, toll: Arc<Toll>, calls: Calls) -> Self {
        Self { inner, toll, calls, waited: Duration::ZERO }
    }

    /// Charges what was read. What is not there yet, or is behind the end, was not read.
    fn passed(&mut self, part: &StreamResult<Bytes>, took: Duration) {
        let took = std::mem::take(&mut self.waited) + took;
        match part {
            Ok(bytes) if bytes.is_empty() => self.waited = took,
            Ok(bytes) => {
                self.toll.charge(bytes.len());
                self.calls.passed(true, took);
            }
            Err(StreamError::Closed) => {}
            Err(_) => self.calls.passed(false, took),
        }
    }
}

#[wasmtime_wasi::async_trait]
impl InputStream for ChargedInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let begun = Instant::now();
        let part = self.inner.read(size);
        self.passed(&part, begun.elapsed());
        part
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        let begun = Instant::now();
        let part = self.inner.blocking_read(size).await;
        self.passed(&part, begun.elapsed());
        part
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

impl Pollable for ChargedInput {
    fn ready<'own, 'future>(&'own mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'future>>
    where
        'own: 'future,
        Self: 'future,
    {
        Box::pin(async {
            let begun = Instant::now();
            self.inner.ready().await;
            self.waited += begun.elapsed();
        })
    }
}
