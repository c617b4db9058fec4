//! Each call of a guest on an open file or folder, counted.
//!
//! What asks about an open file only, and not the file system, is not counted.

use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, DescriptorFlags, DirectoryEntryStream, ErrorCode, HostDescriptor, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsResult};

use super::GuestFiles;
use crate::workspace::input::ChargedInput;
use crate::workspace::output::Place;

impl HostDescriptor for GuestFiles<'_> {
    async fn open_at(
        &mut self,
        fd: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        self.meter.charge_bytes(path.len());
        self.run.calls().make(self.open_path(&fd, (path_flags, path), open, flags)).await
    }

    async fn write(&mut self, fd: Resource<Descriptor>, bytes: Vec<u8>, offset: u64) -> FsResult<u64> {
        self.meter.charge_bytes(bytes.len());
        let calls = self.run.calls();
        let written = self.in_file(&fd, move |room, file| room.write_at(file, &bytes, offset));
        Ok(calls.make(written).await? as u64)
    }

    async fn read(&mut self, fd: Resource<Descriptor>, length: u64, offset: u64) -> FsResult<(Vec<u8>, bool)> {
        let (bytes, is_end) = self.run.calls().make(self.wasi.read(fd, length, offset)).await?;
        self.meter.charge_bytes(bytes.len());
        Ok((bytes, is_end))
    }

    async fn set_size(&mut self, fd: Resource<Descriptor>, size: u64) -> FsResult<()> {
        self.run.calls().make(self.in_file(&fd, move |room, file| room.set_len(file, size))).await
    }

    fn read_via_stream(&mut self, fd: Resource<Descriptor>, offset: u64) -> FsResult<Resource<DynInputStream>> {
        let stream = self.wasi.read_via_stream(fd, offset)?;
        let inner = self.wasi.table.delete(stream)?;
        let stream: DynInputStream = Box::new(ChargedInput::new(inner, self.meter.toll(), self.run.calls()));
        Ok(self.wasi.table.push(stream)?)
    }

    fn write_via_stream(&mut self, fd: Resource<Descriptor>, offset: u64) -> FsResult<Resource<DynOutputStream>> {
        self.output(&fd, Place::At(offset))
    }

    fn append_via_stream(&mut self, fd: Resource<Descriptor>) -> FsResult<Resource<DynOutputStream>> {
        self.output(&fd, Place::End)
    }

    async fn read_directory(&mut self, fd: Resource<Descriptor>) -> FsResult<Resource<DirectoryEntryStream>> {
        self.run.calls().make(self.list(fd)).await
    }

    async fn create_directory_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        self.meter.charge_bytes(path.len());
        self.run.calls().make(self.in_folder(&fd, move |room, dir| room.create_dir(dir, path.as_ref()))).await
    }

    async fn remove_directory_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        self.meter.charge_bytes(path.len());
        self.run.calls().make(self.in_folder(&fd, move |room, dir| room.remove_dir(dir, path.as_ref()))).await
    }

    async fn unlink_file_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        self.meter.charge_bytes(path.len());
        self.run.calls().make(self.in_folder(&fd, move |room, dir| room.remove_file(dir, path.as_ref()))).await
    }

    async fn symlink_at(&mut self, fd: Resource<Descriptor>, target: String, path: String) -> FsResult<()> {
        self.meter.charge_bytes(target.len() + path.len());
        let calls = self.run.calls();
        let linked = self.in_folder(&fd, move |room, dir| room.symlink(target.as_ref(), dir, path.as_ref()));
        calls.make(linked).await
    }

    async fn rename_at(
        &mut self,
        fd: Resource<Descriptor>,
        path: String,
        to: Resource<Descriptor>,
        new: String,
    ) -> FsResult<()> {
        self.meter.charge_bytes(path.len() + new.len());
        self.run.calls().make(self.move_to((&fd, path), (&to, new))).await
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
        self.run.calls().make(async { Err(ErrorCode::NotPermitted.into()) }).await
    }

    async fn set_times(
        &mut self,
        fd: Resource<Descriptor>,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        self.run.calls().make(self.wasi.set_times(fd, accessed, modified)).await
    }

    async fn set_times_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        self.meter.charge_bytes(path.len());
        self.run.calls().make(self.set_times_of(fd, (flags, path), accessed, modified)).await
    }

    async fn advise(
        &mut self,
        fd: Resource<Descriptor>,
        offset: u64,
        length: u64,
        advice: types::Advice,
    ) -> FsResult<()> {
        self.run.calls().make(self.wasi.advise(fd, offset, length, advice)).await
    }

    async fn sync_data(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        self.run.calls().make(self.wasi.sync_data(fd)).await
    }

    async fn sync(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        self.run.calls().make(self.wasi.sync(fd)).await
    }

    async fn get_flags(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorFlags> {
        self.wasi.get_flags(fd).await
    }

    async fn get_type(&mut self, fd: Resource<Descriptor>) -> FsResult<types::DescriptorType> {
        self.wasi.get_type(fd).await
    }

    async fn stat(&mut self, fd: Resource<Descriptor>) -> FsResult<types::DescriptorStat> {
        self.run.calls().make(self.wasi.stat(fd)).await
    }

    async fn stat_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<types::DescriptorStat> {
        self.meter.charge_bytes(path.len());
        self.run.calls().make(self.wasi.stat_at(fd, flags, path)).await
    }

    async fn readlink_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<String> {
        self.meter.charge_bytes(path.len());
        self.run.calls().make(self.wasi.readlink_at(fd, path)).await
    }

    async fn is_same_object(
        &mut self,
        one: Resource<Descriptor>,
        other: Resource<Descriptor>,
    ) -> wasmtime::Result<bool> {
        self.wasi.is_same_object(one, other).await
    }

    async fn metadata_hash(&mut self, fd: Resource<Descriptor>) -> FsResult<types::MetadataHashValue> {
        self.run.calls().make(self.wasi.metadata_hash(fd)).await
    }

    async fn metadata_hash_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<types::MetadataHashValue> {
        self.meter.charge_bytes(path.len());
        self.run.calls().make(self.wasi.metadata_hash_at(fd, flags, path)).await
    }

    fn drop(&mut self, fd: Resource<Descriptor>) -> wasmtime::Result<()> {
        HostDescriptor::drop(&mut self.wasi, fd)
    }
}
