//! A file that a guest reads as a stream.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use wasmtime_wasi::p2::{DynInputStream, InputStream, Pollable, StreamResult};

use crate::meter::Toll;

/// WASI's own stream, whose bytes are charged.
pub(super) struct ChargedInput {
    inner: DynInputStream,
    toll: Arc<Toll>,
}

impl ChargedInput {
    pub(super) fn new(inner: DynInputStream, toll: Arc<Toll>) -> Self {
        Self { inner, toll }
    }
}

#[wasmtime_wasi::async_trait]
impl InputStream for ChargedInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let bytes = self.inner.read(size)?;
        self.toll.charge(bytes.len());
        Ok(bytes)
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        let bytes = self.inner.blocking_read(size).await?;
        self.toll.charge(bytes.len());
        Ok(bytes)
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
        Box::pin(self.inner.ready())
    }
}
