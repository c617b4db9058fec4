//! Which environment a program gets.

use std::collections::BTreeMap;

use bulkhead_core::Traceparent;

use crate::{FoundDevice, GpuSettings, ProgramSettings};

/// The longest name of a program, in bytes (`interface gpu`).
pub(crate) const MAX_PROGRAM_NAME: usize = 128;

/// Those that say which devices a program sees: the lease's alone.
const DEVICES: [&str; 4] =
    ["CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "NVIDIA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL"];

/// Those by which loaders and interpreters run code that nobody allowed; `LD_…` and others by their beginning.
const LOADERS: [&str; 16] = [
    "PATH",
    "IFS",
    "ENV",
    "BASH_ENV",
    "SHELLOPTS",
    "GLIBC_TUNABLES",
    "GCONV_PATH",
    "PERL5LIB",
    "PERL5OPT",
    "PERL5DB",
    "RUBYLIB",
    "RUBYOPT",
    "NODE_OPTIONS",
    "NODE_PATH",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
];

/// What names that run code begin with.
const LOADER_PREFIXES: [&str; 6] = ["LD_", "PYTHON", "BASH_FUNC_", "CUDA_INJECTION", "CUDA_MPS_", "NVTX_INJECTION"];

/// Whether a text can name a variable at all.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}

/// Whether a variable says which devices a program sees.
pub(crate) fn is_devices(name: &str) -> bool {
    DEVICES.contains(&name)
}

/// Whether a job may set a variable; those that decide which code runs, and on which device, are the operator's.
pub(crate) fn is_free(name: &str) -> bool {
    !is_devices(name) && !LOADERS.contains(&name) && !LOADER_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// The whole environment of a program that runs on these devices; of its place in a trace it is told unless the job or
/// the operator names another.
pub(crate) fn environment(
    settings: &GpuSettings,
    program: &ProgramSettings,
    job: &[(String, String)],
    devices: &[FoundDevice],
    traceparent: Option<Traceparent>,
) -> Vec<(String, String)> {
    let place = traceparent.map(String::from);
    let mut all: BTreeMap<&str, &str> = place.iter().map(|place| ("TRACEPARENT", place.as_str())).collect();
    all.extend(job.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    all.insert("PATH", &settings.path);
    all.extend(program.env.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let visible = visible(devices);
    all.insert("CUDA_VISIBLE_DEVICES", &visible);
    all.insert("CUDA_DEVICE_ORDER", "PCI_BUS_ID");
    all.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// UUIDs where every device has one, since the two ways of naming do not mix; else numbers.
fn visible(devices: &[FoundDevice]) -> String {
    let uuids: Option<Vec<String>> = devices.iter().map(|device| device.uuid.clone()).collect();
    uuids.unwrap_or_else(|| devices.iter().map(|device| device.index.to_string()).collect()).join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decides_which_code_runs_is_not_a_jobs_to_set() {
        for name in ["LD_PRELOAD", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "PATH", "PYTHONPATH", "BASH_ENV"] {
            assert!(!is_free(name), "{name}");
        }
        for name in ["HOME", "CUDA_LAUNCH_BLOCKING", "OMP_NUM_THREADS", "LDFLAGS"] {
            assert!(is_free(name), "{name}");
        }
    }

    #[test]
    fn devices_are_named_by_uuid_only_where_each_has_one() {
        let device =
            |index, uuid: Option<&str>| FoundDevice { uuid: uuid.map(str::to_owned), ..FoundDevice::given(index, 1) };
        assert_eq!(visible(&[device(0, Some("GPU-a")), device(3, Some("GPU-b"))]), "GPU-a,GPU-b");
        assert_eq!(visible(&[device(0, Some("GPU-a")), device(3, None)]), "0,3");
    }
}
