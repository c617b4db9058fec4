//! Which devices another host of this machine has.
//!
//! A ledger knows the leases of its own process. Between hosts a file for each device says who has it: it is locked
//! (`flock`) for as long as a lease is out, and the kernel lets go of it when the host ends, however it does.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, FlockOperation, Mode, OFlags, access, flock, open};
use rustix::io::Errno;

use crate::{FoundDevice, GpuSettings};

/// Where hosts look for each other's locks unless the operator says otherwise: nothing there is cleaned up by age.
const PLACE: &str = "/run/lock";

/// The locks of this machine's devices.
#[derive(Debug)]
pub(crate) struct Locks {
    folder: PathBuf,
    /// Whether hosts that share their devices may have one at once; one that does not has it alone.
    shared: bool,
}

/// That no host has a device which may not, until it is dropped.
#[derive(Debug)]
pub(crate) struct DeviceLock(#[expect(dead_code, reason = "held until it is closed")] OwnedFd);

impl Locks {
    pub(crate) fn new(settings: &GpuSettings) -> Self {
        let folder = settings.locks.clone().unwrap_or_else(|| {
            let is_open = access(PLACE, Access::WRITE_OK | Access::EXEC_OK).is_ok();
            if is_open { PathBuf::from(PLACE) } else { std::env::temp_dir() }
        });
        Self { folder, shared: settings.shared }
    }

    /// Locks a device; none where another host has it. Blocks for as long as a file takes to be opened.
    pub(crate) fn take(&self, device: &FoundDevice) -> io::Result<Option<DeviceLock>> {
        let file = open_or_make(&self.folder.join(name(device)))?;
        let how =
            if self.shared { FlockOperation::NonBlockingLockShared } else { FlockOperation::NonBlockingLockExclusive };
        match flock(&file, how) {
            Ok(()) => Ok(Some(DeviceLock(file))),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// To read only, which is enough for a lock, so that the file may be another user's; and never what somebody put in its place.
fn open_or_make(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match open(path, flags, Mode::empty()) {
        // Not at once with this flag: kernels refuse it for a file of another user's in a folder for all.
        Err(Errno::NOENT) => Ok(open(path, flags | OFlags::CREATE, Mode::from_raw_mode(0o644))?),
        opened => Ok(opened?),
    }
}

/// By what a device is called everywhere; by its number where it does not tell.
fn name(device: &FoundDevice) -> String {
    let is_plain = |uuid: &&String| uuid.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let name = device.uuid.as_ref().filter(is_plain).cloned();
    format!("bulkhead-gpu-{}.lock", name.unwrap_or_else(|| device.index.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_tells_no_name_or_an_odd_one_is_locked_by_its_number() {
        let device = |uuid: Option<&str>| FoundDevice { uuid: uuid.map(str::to_owned), ..FoundDevice::given(3, 1) };
        assert_eq!(name(&device(Some("GPU-0a"))), "bulkhead-gpu-GPU-0a.lock");
        for odd in [None, Some("../x"), Some("a/b")] {
            assert_eq!(name(&device(odd)), "bulkhead-gpu-3.lock");
        }
    }

    #[test]
    fn a_link_in_the_place_of_a_lock_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let settings = GpuSettings { locks: Some(folder.path().to_owned()), ..GpuSettings::default() };
        let device = FoundDevice::given(0, 1);
        std::os::unix::fs::symlink("/dev/null", folder.path().join(name(&device))).unwrap();
        assert!(Locks::new(&settings).take(&device).is_err());
    }
}
