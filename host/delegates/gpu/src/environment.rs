//! Which environment a program gets.

use std::collections::BTreeMap;

use bulkhead_core::Traceparent;

use crate::{FoundDevice, GpuSettings, ProgramSettings};

/// The longest name of a program, in bytes (`interface gpu`).
pub(crate) const MAX_PROGRAM_NAME: usize = 128;

/// Those that say which devices a program sees: the lease's alone.
const DEVICES: [&str; 4] =
    ["CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "NVIDIA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL"];

/// Where a program's home is unless the operator says another: nowhere, since from a home in a workspace or in a folder of
/// the job's, interpreters and libraries would load code.
const HOME: &str = "/nonexistent";

/// The one that a job may always set: no loader reads it.
const PLACE: &str = "TRACEPARENT";

/// Those by which loaders, interpreters and libraries find code, or run what they are told.
const LOADERS: [&str; 38] = [
    "PATH",
    "HOME",
    "SHELL",
    "IFS",
    "ENV",
    "PS4",
    "ZDOTDIR",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "BROWSER",
    "SHELLOPTS",
    "GLIBC_TUNABLES",
    "GCONV_PATH",
    "LOCPATH",
    "NLSPATH",
    "CLASSPATH",
    "JAVA_HOME",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "_JAVA_OPTIONS",
    "PHPRC",
    "PHP_INI_SCAN_DIR",
    "TCLLIBPATH",
    "VIRTUAL_ENV",
    "CC",
    "CXX",
    "CUDA_HOME",
    "CUDA_PATH",
    "NCCL_CONF_FILE",
    "NCCL_NET_PLUGIN",
    "NCCL_TUNER_PLUGIN",
    "NCCL_PROFILER_PLUGIN",
    "OMP_TOOL_LIBRARIES",
    "UCX_MODULE_DIR",
    "VK_ICD_FILENAMES",
    "OCL_ICD_FILENAMES",
    "OCL_ICD_VENDORS",
];

/// What names that run code begin with.
const LOADER_PREFIXES: [&str; 24] = [
    "LD_",
    "BASH",
    "PYTHON",
    "PERL",
    "RUBY",
    "GEM_",
    "BUNDLE_",
    "NODE_",
    "NPM_",
    "LUA_",
    "JULIA_",
    "R_",
    "DOTNET_",
    "CORECLR_",
    "GIT_",
    "OPENSSL_",
    "XDG_",
    "CONDA",
    "OMPI_MCA_",
    "TRITON_",
    "TORCHINDUCTOR_",
    "CUDA_INJECTION",
    "CUDA_MPS_",
    "NVTX_INJECTION",
];

/// Whether a text can name a variable at all.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}

/// Whether a variable says which devices a program sees.
pub(crate) fn is_devices(name: &str) -> bool {
    DEVICES.contains(&name)
}

/// Whether an operator may let jobs set a variable. A second fence, behind [`ProgramSettings::job_env`]: no list of this
/// kind is ever whole.
pub(crate) fn may_be_listed(name: &str) -> bool {
    !is_devices(name) && !LOADERS.contains(&name) && !LOADER_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a job may set a variable of this program.
pub(crate) fn may_set(program: &ProgramSettings, name: &str) -> bool {
    name == PLACE || (may_be_listed(name) && program.job_env.iter().any(|listed| listed == name))
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
    let mut all: BTreeMap<&str, &str> = place.iter().map(|place| (PLACE, place.as_str())).collect();
    all.extend(job.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    all.insert("PATH", &settings.path);
    all.insert("HOME", HOME);
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
    fn a_job_sets_what_the_operator_lists_for_the_program_and_its_place_in_the_trace() {
        let program = ProgramSettings { job_env: vec!["OMP_NUM_THREADS".into()], ..ProgramSettings::default() };
        assert!(may_set(&program, "OMP_NUM_THREADS") && may_set(&program, "TRACEPARENT"));
        for name in ["OMP_NUM_THREAD", "omp_num_threads", "CUDA_LAUNCH_BLOCKING", "HOME", "MODEL"] {
            assert!(!may_set(&program, name), "{name}");
        }
    }

    #[test]
    fn what_decides_which_code_runs_is_not_a_jobs_to_set_whatever_is_listed() {
        let names = [
            "HOME",
            "LD_PRELOAD",
            "LD_LIBRARY_PATH",
            "CUDA_VISIBLE_DEVICES",
            "PATH",
            "PYTHONPATH",
            "BASH_ENV",
            "_JAVA_OPTIONS",
            "OPENSSL_CONF",
            "LUA_INIT",
            "NCCL_NET_PLUGIN",
            "XDG_CONFIG_HOME",
        ];
        let program = ProgramSettings { job_env: names.map(str::to_owned).to_vec(), ..ProgramSettings::default() };
        for name in names {
            assert!(!may_be_listed(name) && !may_set(&program, name), "{name}");
        }
        for name in ["CUDA_LAUNCH_BLOCKING", "OMP_NUM_THREADS", "LDFLAGS", "NCCL_DEBUG"] {
            assert!(may_be_listed(name), "{name}");
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
