//! wasi:filesystem as a guest finds it: WASI's own, but for everything that opens, makes, grows, moves or removes.
//!
//! Those go through [`WorkspaceRoom`](super::WorkspaceRoom), on threads that may block (`opening`, `changes`). What is left to
//! WASI neither opens a path nor changes one. Every call is counted on its way (`descriptor`).

mod changes;
mod descriptor;
mod opening;

use wasmtime::component::{HasData, Resource};
use wasmtime_wasi::filesystem::WasiFilesystemCtxView;
use wasmtime_wasi::p2::bindings::filesystem::types::{self, DirectoryEntryStream, ErrorCode, HostDirectoryEntryStream};
use wasmtime_wasi::p2::{FsError, FsResult};

use super::run_files::RunFiles;
use crate::meter::Meter;

/// Names [`GuestFiles`] to the linker.
pub(crate) struct WorkspaceFilesystem;

impl HasData for WorkspaceFilesystem {
    type Data<'a> = GuestFiles<'a>;
}

/// The files of one guest, for one call.
pub(crate) struct GuestFiles<'a> {
    pub(crate) wasi: WasiFilesystemCtxView<'a>,
    pub(crate) run: &'a mut RunFiles,
    pub(crate) meter: &'a mut Meter,
}

impl types::Host for GuestFiles<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        types::Host::convert_error_code(&mut self.wasi, error)
    }

    fn filesystem_error_code(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        types::Host::filesystem_error_code(&mut self.wasi, error)
    }
}

impl HostDirectoryEntryStream for GuestFiles<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<types::DirectoryEntry>> {
        self.wasi.read_directory_entry(stream).await
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        HostDirectoryEntryStream::drop(&mut self.wasi, stream)
    }
}
