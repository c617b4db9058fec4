//! Where devices come from.

use std::sync::Mutex;

use bulkhead_core::Device;

/// A device that a host found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundDevice {
    /// Its number on this host, as NVML counts.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// What it is called everywhere and always, where it tells.
    pub uuid: Option<String>,
    /// Its memory.
    pub memory_bytes: u64,
    /// Memory that nobody uses now.
    pub free_memory_bytes: u64,
}

/// Why devices could not be listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DevicesError {
    /// This host has none, and nothing is wrong with that.
    #[error("this host has no GPUs: {0}")]
    Absent(String),
    /// It should have, and the library or driver answers with errors.
    #[error("NVML answers with an error: {0}")]
    Broken(String),
}

/// What knows the devices of this host.
pub trait Devices: std::fmt::Debug + Send + Sync {
    /// The devices as they are now, each number once; may block for a while.
    fn list(&self) -> Result<Vec<FoundDevice>, DevicesError>;

    /// The major version of CUDA that the driver serves, where it is known; may block for a while.
    fn cuda_major(&self) -> Option<u32> {
        None
    }
}

/// A list of devices that somebody gave: for tests of what leases and runs.
#[derive(Debug)]
pub struct GivenDevices(Mutex<Result<Vec<FoundDevice>, DevicesError>>);

impl FoundDevice {
    /// A device of this number and so much memory, all of it free.
    pub fn given(index: u32, memory_bytes: u64) -> Self {
        Self {
            index,
            name: format!("given device {index}"),
            uuid: Some(format!("GPU-{index:08}-0000-0000-0000-000000000000")),
            memory_bytes,
            free_memory_bytes: memory_bytes,
        }
    }
}

impl From<FoundDevice> for Device {
    fn from(found: FoundDevice) -> Self {
        let FoundDevice { index, mut name, memory_bytes, free_memory_bytes, .. } = found;
        // The bound of `record device` in the contract.
        name.truncate(name.floor_char_boundary(256));
        Self { index, name, memory_bytes, free_memory_bytes }
    }
}

impl GivenDevices {
    /// These, until others are given.
    pub fn new(devices: Vec<FoundDevice>) -> Self {
        Self(Mutex::new(Ok(devices)))
    }

    /// From now on this is answered.
    pub fn set(&self, answer: Result<Vec<FoundDevice>, DevicesError>) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = answer;
    }
}

impl Devices for GivenDevices {
    fn list(&self) -> Result<Vec<FoundDevice>, DevicesError> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}
