//! WASI 0.2 as a guest finds it: complete, and empty.
//!
//! No files but those of a workspace that was granted, no sockets, environment or arguments; standard input is at its end;
//! what is printed becomes log lines. Clocks and randomness enter here too, and nowhere else, so that this is the place to
//! record and replay them.

use std::fs::File;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::filesystem::{Descriptor, Dir};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::guest_log::{GuestLog, Stream};
use crate::{Workspace, WorkspaceAccess};

/// Streams, pollables and the like that one guest may hold; a guest that leaks them runs into this.
const MAX_RESOURCES: usize = 4096;
/// The most random bytes of one call.
const MAX_RANDOM: u64 = 64 << 10;
/// Where a guest finds its workspace.
const GUEST_FOLDER: &str = "/workspace";
/// No folder, so that nothing can be found or made there.
const NOWHERE: &str = "/dev/null";
/// The most bytes that one write to a standard stream may have.
const WRITE_PERMIT: usize = 64 << 10;

/// What WASI keeps for one guest; made when the guest first touches WASI, which many never do.
pub(crate) struct Wasi {
    pub(crate) context: WasiCtx,
    pub(crate) table: ResourceTable,
    /// Where the workspace leads while it is shut; none where it was never shut, or is not there.
    nowhere: Option<Arc<File>>,
    /// Where it leads once it is open.
    folder: Option<Arc<File>>,
    /// Whether the workspace could not be opened, so that nothing the guest does is to count.
    pub(crate) lacks_workspace: bool,
}

impl WasiView for Wasi {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.context, table: &mut self.table }
    }
}

impl Wasi {
    /// With the workspace open, or shut until [`Self::open_workspace`].
    pub(crate) fn new(log: &Arc<GuestLog>, workspace: Option<&Workspace>, open: bool) -> Self {
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
        let (mut nowhere, mut lacks_workspace) = (None, false);
        if let Some(Workspace { folder, access, .. }) = workspace {
            let opened = (if open { Ok(None) } else { File::open(NOWHERE).map(Some) })
                .map_err(wasmtime::Error::from)
                .and_then(|shut| builder.preopened_dir(folder, GUEST_FOLDER, permissions(*access)).map(|_| shut));
            match opened {
                Ok(shut) => nowhere = shut.map(Arc::new),
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::error!(folder = %folder.display(), error, "the workspace cannot be opened");
                    lacks_workspace = true;
                }
            }
        }
        Self { context: builder.build(), table, nowhere, folder: None, lacks_workspace }
    }

    /// Lets whatever the guest has got of its workspace lead nowhere; to be called before each of its calls to WASI.
    ///
    /// Many runtimes (CPython's, and libc's under it) ask only once which folders there are, which may be long before
    /// `handle`: a workspace that was not there then would not be there for them at all.
    pub(crate) fn shut_workspace(&mut self) {
        let Some(nowhere) = &self.nowhere else { return };
        for dir in folders(&mut self.table) {
            if !Arc::ptr_eq(&dir.dir, nowhere) {
                self.folder = Some(std::mem::replace(&mut dir.dir, Arc::clone(nowhere)));
            }
        }
    }

    /// Lets it lead to the workspace.
    pub(crate) fn open_workspace(&mut self) {
        if let (Some(_), Some(folder)) = (self.nowhere.take(), self.folder.take()) {
            folders(&mut self.table).for_each(|dir| dir.dir = Arc::clone(&folder));
        }
    }
}

/// The folders that the guest holds; while its workspace is shut, it can have no others than that.
fn folders(table: &mut ResourceTable) -> impl Iterator<Item = &mut Dir> {
    table.iter_mut().filter_map(|entry| match entry.downcast_mut::<Descriptor>() {
        Some(Descriptor::Dir(dir)) => Some(dir),
        _ => None,
    })
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
