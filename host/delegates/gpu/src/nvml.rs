//! The devices that NVIDIA's management library knows.

use std::ffi::OsStr;
use std::sync::{Mutex, PoisonError};

use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;

use crate::{Devices, DevicesError, FoundDevice};

/// What the driver installs, then what only its packages for developers do.
const LIBRARIES: [&str; 2] = ["libnvidia-ml.so.1", "libnvidia-ml.so"];

/// `NVML_DEVICE_MIG_ENABLE`.
const MIG_ENABLED: u32 = 1;

/// The devices of this host by NVML, which is loaded when it is first asked, and again after an error.
#[derive(Debug, Default)]
pub struct NvmlDevices(Mutex<Option<Nvml>>);

impl Devices for NvmlDevices {
    fn list(&self) -> Result<Vec<FoundDevice>, DevicesError> {
        self.with(|nvml| {
            let count = nvml.device_count()?;
            let found: Vec<_> = (0..count).map(|index| (index, device(nvml, index))).collect();
            // One device that fell off its bus must not take the others with it.
            let all_failed = count > 0 && found.iter().all(|(_, device)| device.is_err());
            let mut devices = Vec::new();
            for (index, device) in found {
                match device {
                    Ok(device) => devices.extend(device),
                    Err(error) if all_failed => return Err(error),
                    Err(error) => tracing::warn!(index, %error, "a GPU does not answer and is left out"),
                }
            }
            Ok(devices)
        })
    }

    fn cuda_major(&self) -> Option<u32> {
        let version = self.with(Nvml::sys_cuda_driver_version).ok()?;
        u32::try_from(nvml_wrapper::cuda_driver_version_major(version)).ok()
    }
}

impl NvmlDevices {
    fn with<T>(&self, ask: impl FnOnce(&Nvml) -> Result<T, NvmlError>) -> Result<T, DevicesError> {
        let mut loaded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let nvml = match loaded.take() {
            Some(nvml) => nvml,
            None => load()?,
        };
        match ask(&nvml) {
            Ok(answer) => {
                *loaded = Some(nvml);
                Ok(answer)
            }
            // Dropped: a driver that was replaced while the host ran answers only to a fresh start.
            Err(error) => Err(DevicesError::Broken(error.to_string())),
        }
    }
}

fn load() -> Result<Nvml, DevicesError> {
    let mut absent = String::new();
    for library in LIBRARIES {
        match Nvml::builder().lib_path(OsStr::new(library)).init() {
            Ok(nvml) => return Ok(nvml),
            Err(NvmlError::LibloadingError(_)) => absent = format!("`{library}` cannot be loaded"),
            Err(NvmlError::DriverNotLoaded) => return Err(DevicesError::Absent("its driver is not loaded".into())),
            Err(error) => return Err(DevicesError::Broken(error.to_string())),
        }
    }
    Err(DevicesError::Absent(absent))
}

/// A device; none where it is cut into slices (MIG), of which CUDA would show a program one.
fn device(nvml: &Nvml, index: u32) -> Result<Option<FoundDevice>, NvmlError> {
    let device = nvml.device_by_index(index)?;
    if device.mig_mode().is_ok_and(|mode| mode.current == MIG_ENABLED) {
        tracing::debug!(index, "a GPU is in MIG mode and is left out");
        return Ok(None);
    }
    let memory = device.memory_info()?;
    Ok(Some(FoundDevice {
        index,
        name: device.name().unwrap_or_else(|_| "NVIDIA GPU".into()),
        uuid: device.uuid().ok(),
        memory_bytes: memory.total,
        free_memory_bytes: memory.free,
    }))
}
