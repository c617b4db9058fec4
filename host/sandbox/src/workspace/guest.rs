//! wasi:filesystem as a guest finds it: WASI's own, but for everything that opens, makes, grows, moves or removes.
//!
//! Those go through [`WorkspaceRoom`], on threads that may block. What is left to WASI neither opens a path nor changes one.

use std::fs::File as HostFile;
use std::io;
use std::sync::Arc;

use cap_primitives::fs::read_base_dir;
use wasmtime::component::{HasData, Resource};
use wasmtime_wasi::filesystem::{Descriptor, Dir, File, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, DescriptorFlags, DirectoryEntryStream, ErrorCode, HostDescriptor, HostDirectoryEntryStream, NewTimestamp,
    OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};
use wasmtime_wasi::{FsPerms, OpenMode};

use super::input::ChargedInput;
use super::output::{BoundedOutput, Place};
use super::run_files::RunFiles;
use super::{Opening, WorkspaceRoom};
use crate::meter::Meter;

/// What one entry of a folder costs to list, as if it were so many bytes.
const ENTRY_BYTES: usize = 100;

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

/// Does something where it may block; a guest that is gone meanwhile does not stop it.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> FsResult<T> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.unwrap_or_else(|_| Err(io::Error::other("the host gave up a file's call")))?)
}

impl GuestFiles<'_> {
    fn dir(&self, fd: &Resource<Descriptor>) -> FsResult<Dir> {
        match self.wasi.table.get(fd)? {
            Descriptor::Dir(dir) => Ok(dir.clone()),
            Descriptor::File(_) => Err(ErrorCode::NotDirectory.into()),
        }
    }

    fn file(&self, fd: &Resource<Descriptor>) -> FsResult<File> {
        match self.wasi.table.get(fd)? {
            Descriptor::File(file) => Ok(file.clone()),
            Descriptor::Dir(_) => Err(ErrorCode::BadDescriptor.into()),
        }
    }

    fn room(&self) -> FsResult<Arc<WorkspaceRoom>> {
        self.run.room().ok_or_else(|| ErrorCode::NotPermitted.into())
    }

    /// The folder, where the guest may change what is in it.
    fn writable_dir(&self, fd: &Resource<Descriptor>) -> FsResult<Arc<HostFile>> {
        let dir = self.dir(fd)?;
        if dir.perms.write_not_permitted() { Err(ErrorCode::NotPermitted.into()) } else { Ok(dir.dir) }
    }

    /// The file, where the guest may change it.
    fn writable_file(&self, fd: &Resource<Descriptor>) -> FsResult<Arc<HostFile>> {
        let file = self.file(fd)?;
        let may = !file.perms.write_not_permitted() && file.open_mode.contains(OpenMode::WRITE);
        if may { Ok(file.file) } else { Err(ErrorCode::NotPermitted.into()) }
    }

    /// Opens something in a folder, and remembers that it is open.
    async fn open(&mut self, dir: &Dir, path: String, how: Opening, must_be_dir: bool) -> FsResult<Descriptor> {
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

    fn output(&mut self, fd: &Resource<Descriptor>, place: Place) -> FsResult<Resource<DynOutputStream>> {
        let file = self.writable_file(fd)?;
        let stream: DynOutputStream = Box::new(BoundedOutput::new(file, self.room()?, self.meter.toll(), place));
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

impl types::Host for GuestFiles<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        types::Host::convert_error_code(&mut self.wasi, error)
    }

    fn filesystem_error_code(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        types::Host::filesystem_error_code(&mut self.wasi, error)
    }
}

impl HostDescriptor for GuestFiles<'_> {
    async fn open_at(
        &mut self,
        fd: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
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
        let dir = self.dir(&fd)?;
        if how.write && dir.perms.write_not_permitted() {
            return Err(ErrorCode::NotPermitted.into());
        }
        let opened = self.open(&dir, path, how, must_be_dir).await?;
        Ok(self.wasi.table.push(opened)?)
    }

    async fn write(&mut self, fd: Resource<Descriptor>, bytes: Vec<u8>, offset: u64) -> FsResult<u64> {
        let (file, room) = (self.writable_file(&fd)?, self.room()?);
        self.meter.charge_bytes(bytes.len());
        Ok(blocking(move || room.write_at(&file, &bytes, offset)).await? as u64)
    }

    async fn read(&mut self, fd: Resource<Descriptor>, length: u64, offset: u64) -> FsResult<(Vec<u8>, bool)> {
        let (bytes, is_end) = self.wasi.read(fd, length, offset).await?;
        self.meter.charge_bytes(bytes.len());
        Ok((bytes, is_end))
    }

    async fn set_size(&mut self, fd: Resource<Descriptor>, size: u64) -> FsResult<()> {
        let (file, room) = (self.writable_file(&fd)?, self.room()?);
        blocking(move || room.set_len(&file, size)).await
    }

    fn read_via_stream(&mut self, fd: Resource<Descriptor>, offset: u64) -> FsResult<Resource<DynInputStream>> {
        let stream = self.wasi.read_via_stream(fd, offset)?;
        let inner = self.wasi.table.delete(stream)?;
        let stream: DynInputStream = Box::new(ChargedInput::new(inner, self.meter.toll()));
        Ok(self.wasi.table.push(stream)?)
    }

    fn write_via_stream(&mut self, fd: Resource<Descriptor>, offset: u64) -> FsResult<Resource<DynOutputStream>> {
        self.output(&fd, Place::At(offset))
    }

    fn append_via_stream(&mut self, fd: Resource<Descriptor>) -> FsResult<Resource<DynOutputStream>> {
        self.output(&fd, Place::End)
    }

    async fn read_directory(&mut self, fd: Resource<Descriptor>) -> FsResult<Resource<DirectoryEntryStream>> {
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

    async fn create_directory_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        let (dir, room) = (self.writable_dir(&fd)?, self.room()?);
        blocking(move || room.create_dir(&dir, path.as_ref())).await
    }

    async fn remove_directory_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        let (dir, room) = (self.writable_dir(&fd)?, self.room()?);
        blocking(move || room.remove_dir(&dir, path.as_ref())).await
    }

    async fn unlink_file_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        let (dir, room) = (self.writable_dir(&fd)?, self.room()?);
        blocking(move || room.remove_file(&dir, path.as_ref())).await
    }

    async fn symlink_at(&mut self, fd: Resource<Descriptor>, target: String, path: String) -> FsResult<()> {
        let (dir, room) = (self.writable_dir(&fd)?, self.room()?);
        blocking(move || room.symlink(target.as_ref(), &dir, path.as_ref())).await
    }

    async fn rename_at(
        &mut self,
        fd: Resource<Descriptor>,
        path: String,
        to: Resource<Descriptor>,
        new: String,
    ) -> FsResult<()> {
        let (dir, to, room) = (self.writable_dir(&fd)?, self.writable_dir(&to)?, self.room()?);
        blocking(move || room.rename(&dir, path.as_ref(), &to, new.as_ref())).await
    }

    /// Refused: a file with two names would be counted twice, or not at all.
    async fn link_at(
        &mut self,
        _: Resource<Descriptor>,
        _: PathFlags,
        _: String,
        _: Resource<Descriptor>,
        _: String,
    ) -> FsResult<()> {
        Err(ErrorCode::NotPermitted.into())
    }

    async fn set_times(
        &mut self,
        fd: Resource<Descriptor>,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        self.wasi.set_times(fd, accessed, modified).await
    }

    /// WASI would open the path to do so, and wait for a FIFO.
    async fn set_times_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
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

    async fn advise(
        &mut self,
        fd: Resource<Descriptor>,
        offset: u64,
        length: u64,
        advice: types::Advice,
    ) -> FsResult<()> {
        self.wasi.advise(fd, offset, length, advice).await
    }

    async fn sync_data(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        self.wasi.sync_data(fd).await
    }

    async fn sync(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        self.wasi.sync(fd).await
    }

    async fn get_flags(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorFlags> {
        self.wasi.get_flags(fd).await
    }

    async fn get_type(&mut self, fd: Resource<Descriptor>) -> FsResult<types::DescriptorType> {
        self.wasi.get_type(fd).await
    }

    async fn stat(&mut self, fd: Resource<Descriptor>) -> FsResult<types::DescriptorStat> {
        self.wasi.stat(fd).await
    }

    async fn stat_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<types::DescriptorStat> {
        self.wasi.stat_at(fd, flags, path).await
    }

    async fn readlink_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<String> {
        self.wasi.readlink_at(fd, path).await
    }

    async fn is_same_object(
        &mut self,
        one: Resource<Descriptor>,
        other: Resource<Descriptor>,
    ) -> wasmtime::Result<bool> {
        self.wasi.is_same_object(one, other).await
    }

    async fn metadata_hash(&mut self, fd: Resource<Descriptor>) -> FsResult<types::MetadataHashValue> {
        self.wasi.metadata_hash(fd).await
    }

    async fn metadata_hash_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<types::MetadataHashValue> {
        self.wasi.metadata_hash_at(fd, flags, path).await
    }

    fn drop(&mut self, fd: Resource<Descriptor>) -> wasmtime::Result<()> {
        HostDescriptor::drop(&mut self.wasi, fd)
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
