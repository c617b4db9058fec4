//! WASI 0.2 as a guest finds it: complete, and empty.
//!
//! No files but those of a workspace that was granted, no sockets, environment or arguments; standard input is at its end; what is printed becomes log lines. Clocks and
//! randomness enter here too, and nowhere else, so that this is the place to record and replay them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder};

use crate::guest_log::{GuestLog, Stream};
use crate::{Workspace, WorkspaceAccess};

/// Streams, pollables and the like that one guest may hold; a guest that leaks them runs into this.
const MAX_RESOURCES: usize = 4096;
/// The most random bytes of one call.
const MAX_RANDOM: u64 = 64 << 10;
/// Where a guest finds its workspace.
const GUEST_FOLDER: &str = "/workspace";
/// The most bytes that one write to a standard stream may have.
const WRITE_PERMIT: usize = 64 << 10;

/// What WASI keeps for one guest; made when the guest first touches WASI, which many never do.
pub(crate) struct Wasi {
    pub(crate) context: WasiCtx,
    pub(crate) table: ResourceTable,
}

impl Wasi {
    pub(crate) fn new(log: &Arc<GuestLog>, workspace: Option<&Workspace>) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        let stream = |stream| Printed { log: Arc::clone(log), stream };
        let mut builder = WasiCtxBuilder::new();
        builder
            .stdout(stream(Stream::Output))
            .stderr(stream(Stream::Error))
            .allow_tcp(false)
            .allow_udp(false)
            .allow_blocking_current_thread(false)
            .max_random_size(MAX_RANDOM);
        if let Some(workspace) = workspace {
            let permissions = permissions(workspace.access);
            if let Err(error) = builder.preopened_dir(&workspace.folder, GUEST_FOLDER, permissions) {
                tracing::warn!(folder = %workspace.folder.display(), error = format!("{error:#}"), "the workspace cannot be opened");
            }
        }
        Self { context: builder.build(), table }
    }
}

/// What WASI lets a guest do in its workspace.
const fn permissions(access: WorkspaceAccess) -> FsPerms {
    match access {
        WorkspaceAccess::Read => FsPerms::ReadOnly,
        WorkspaceAccess::ReadWrite => FsPerms::ReadWrite,
    }
}

/// A standard stream that ends in the log.
#[derive(Clone)]
struct Printed {
    log: Arc<GuestLog>,
    stream: Stream,
}

impl IsTerminal for Printed {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Printed {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    /// The log never makes anyone wait, so neither a task nor a buffer is needed in between.
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Printed {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.log.print(self.stream, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_PERMIT)
    }
}

impl Pollable for Printed {
    fn ready<'own, 'future>(&'own mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'future>>
    where
        'own: 'future,
        Self: 'future,
    {
        Box::pin(std::future::ready(()))
    }
}

impl AsyncWrite for Printed {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.log.print(self.stream, bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
