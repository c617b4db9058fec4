//! What a guest changes or lists, which WASI would do without bounds.

use std::fs::File as HostFile;
use std::io;

use cap_primitives::fs::read_base_dir;
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DirectoryEntryStream, ErrorCode, HostDescriptor, NewTimestamp, PathFlags,
};

use super::GuestFiles;
use super::opening::blocking;
use crate::workspace::{Opening, WorkspaceRoom};

/// What one entry of a folder costs to list, as if it were so many bytes.
const ENTRY_BYTES: usize = 100;

impl GuestFiles<'_> {
    /// Changes something in a folder.
    pub(super) async fn in_folder(
        &mut self,
        fd: &Resource<Descriptor>,
        change: impl FnOnce(&WorkspaceRoom, &HostFile) -> io::Result<()> + Send + 'static,
    ) -> FsResult<()> {
        let (dir, room) = (self.writable_dir(fd)?, self.room()?);
        blocking(move || change(&room, &dir)).await
    }

    /// Changes what is in a file.
    pub(super) async fn in_file<T: Send + 'static>(
        &mut self,
        fd: &Resource<Descriptor>,
        change: impl FnOnce(&WorkspaceRoom, &HostFile) -> io::Result<T> + Send + 'static,
    ) -> FsResult<T> {
        let (file, room) = (self.writable_file(fd)?, self.room()?);
        blocking(move || change(&room, &file)).await
    }

    pub(super) async fn move_to(
        &mut self,
        (fd, path): (&Resource<Descriptor>, String),
        (to, new): (&Resource<Descriptor>, String),
    ) -> FsResult<()> {
        let to = self.writable_dir(to)?;
        self.in_folder(fd, move |room, dir| room.rename(dir, path.as_ref(), &to, new.as_ref())).await
    }

    /// Lists a folder, where it has no more entries than the workspace may have.
    pub(super) async fn list(&mut self, fd: Resource<Descriptor>) -> FsResult<Resource<DirectoryEntryStream>> {
        let (dir, most) = (self.dir(&fd)?.dir, self.room()?.bounds().files);
        // WASI keeps all entries of a folder in memory, which a container may have filled.
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let count = blocking(move || Ok(read_base_dir(&dir)?.take(most.saturating_add(1)).count())).await?;
        self.meter.charge_bytes(count.saturating_mul(ENTRY_BYTES));
        if count > most {
            return Err(ErrorCode::Overflow.into());
        }
        self.wasi.read_directory(fd).await
    }

    /// Sets the times of what a path names: WASI would open it to do so, and wait for a FIFO.
    pub(super) async fn set_times_of(
        &mut self,
        fd: Resource<Descriptor>,
        (flags, path): (PathFlags, String),
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        self.writable_dir(&fd)?;
        if !flags.contains(PathFlags::SYMLINK_FOLLOW) {
            return self.wasi.set_times_at(fd, flags, path, accessed, modified).await;
        }
        let dir = self.dir(&fd)?;
        let opened = self.open(&dir, path, Opening { follow: true, ..Opening::default() }, false).await?;
        let opened: Resource<Descriptor> = self.wasi.table.push(opened)?;
        let done = self.wasi.set_times(Resource::new_borrow(opened.rep()), accessed, modified).await;
        self.wasi.table.delete(opened)?;
        done
    }
}
