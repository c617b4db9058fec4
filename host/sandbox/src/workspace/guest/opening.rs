//! Finding what a guest names, and opening it.

use std::fs::File as HostFile;
use std::io;
use std::sync::Arc;

use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::{Descriptor, Dir, File};
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorFlags, ErrorCode, OpenFlags, PathFlags};
use wasmtime_wasi::p2::{DynOutputStream, FsResult};
use wasmtime_wasi::{FsPerms, OpenMode};

use super::GuestFiles;
use crate::workspace::output::{BoundedOutput, Place};
use crate::workspace::{Opening, WorkspaceRoom};

/// Does something where it may block; a guest that is gone meanwhile does not stop it.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> FsResult<T> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.unwrap_or_else(|_| Err(io::Error::other("the host gave up a file's call")))?)
}

impl GuestFiles<'_> {
    pub(super) fn dir(&self, fd: &Resource<Descriptor>) -> FsResult<Dir> {
        match self.wasi.table.get(fd)? {
            Descriptor::Dir(dir) => Ok(dir.clone()),
            Descriptor::File(_) => Err(ErrorCode::NotDirectory.into()),
        }
    }

    pub(super) fn file(&self, fd: &Resource<Descriptor>) -> FsResult<File> {
        match self.wasi.table.get(fd)? {
            Descriptor::File(file) => Ok(file.clone()),
            Descriptor::Dir(_) => Err(ErrorCode::BadDescriptor.into()),
        }
    }

    pub(super) fn room(&self) -> FsResult<Arc<WorkspaceRoom>> {
        self.run.room().ok_or_else(|| ErrorCode::NotPermitted.into())
    }

    /// The folder, where the guest may change what is in it.
    pub(super) fn writable_dir(&self, fd: &Resource<Descriptor>) -> FsResult<Arc<HostFile>> {
        let dir = self.dir(fd)?;
        if dir.perms.write_not_permitted() { Err(ErrorCode::NotPermitted.into()) } else { Ok(dir.dir) }
    }

    /// The file, where the guest may change it.
    pub(super) fn writable_file(&self, fd: &Resource<Descriptor>) -> FsResult<Arc<HostFile>> {
        let file = self.file(fd)?;
        let may = !file.perms.write_not_permitted() && file.open_mode.contains(OpenMode::WRITE);
        if may { Ok(file.file) } else { Err(ErrorCode::NotPermitted.into()) }
    }

    /// Opens what a path names, as a guest asks for it.
    pub(super) async fn open_path(
        &mut self,
        fd: &Resource<Descriptor>,
        (path_flags, path): (PathFlags, String),
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        let synced = DescriptorFlags::FILE_INTEGRITY_SYNC
            | DescriptorFlags::DATA_INTEGRITY_SYNC
            | DescriptorFlags::REQUESTED_WRITE_SYNC;
        if flags.intersects(synced) {
            return Err(ErrorCode::Unsupported.into());
        }
        let makes = open.contains(OpenFlags::CREATE);
        let how = Opening {
            read: flags.contains(DescriptorFlags::READ),
            write: flags.contains(DescriptorFlags::WRITE) || open.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE),
            create: makes,
            exclusive: makes && open.contains(OpenFlags::EXCLUSIVE),
            truncate: open.contains(OpenFlags::TRUNCATE),
            follow: path_flags.contains(PathFlags::SYMLINK_FOLLOW),
        };
        let must_be_dir = open.contains(OpenFlags::DIRECTORY);
        if must_be_dir && open.intersects(OpenFlags::CREATE | OpenFlags::EXCLUSIVE | OpenFlags::TRUNCATE) {
            return Err(ErrorCode::Invalid.into());
        }
        let dir = self.dir(fd)?;
        if how.write && dir.perms.write_not_permitted() {
            return Err(ErrorCode::NotPermitted.into());
        }
        let opened = self.open(&dir, path, how, must_be_dir).await?;
        Ok(self.wasi.table.push(opened)?)
    }

    /// Opens something in a folder, and remembers that it is open.
    pub(super) async fn open(
        &mut self,
        dir: &Dir,
        path: String,
        how: Opening,
        must_be_dir: bool,
    ) -> FsResult<Descriptor> {
        self.run.check_open()?;
        let (room, folder) = (self.room()?, Arc::clone(&dir.dir));
        let perms = dir.perms;
        let opened =
            blocking(move || room.open_as(&folder, path.as_ref(), how, |file, is_dir| keep(file, is_dir, perms, how)));
        let opened = opened.await?;
        if must_be_dir && matches!(opened, Descriptor::File(_)) {
            return Err(ErrorCode::NotDirectory.into());
        }
        self.run.opened(held(&opened));
        Ok(opened)
    }

    pub(super) fn output(&mut self, fd: &Resource<Descriptor>, place: Place) -> FsResult<Resource<DynOutputStream>> {
        let file = self.writable_file(fd)?;
        let stream: DynOutputStream =
            Box::new(BoundedOutput::new(file, self.room()?, (self.meter.toll(), self.run.calls()), place));
        Ok(self.wasi.table.push(stream)?)
    }
}

/// A descriptor of something that was opened, and what is open for as long as anybody holds it.
fn keep(file: HostFile, is_dir: bool, perms: FsPerms, how: Opening) -> (Arc<HostFile>, Descriptor) {
    let mut mode = OpenMode::empty();
    mode.set(OpenMode::READ, how.read || !how.write);
    mode.set(OpenMode::WRITE, how.write);
    let opened = if is_dir {
        Descriptor::Dir(Dir::new(file, perms, mode, false))
    } else {
        Descriptor::File(File::new(file, perms, mode, false))
    };
    (Arc::clone(held(&opened)), opened)
}

const fn held(opened: &Descriptor) -> &Arc<HostFile> {
    match opened {
        Descriptor::Dir(dir) => &dir.dir,
        Descriptor::File(file) => &file.file,
    }
}
