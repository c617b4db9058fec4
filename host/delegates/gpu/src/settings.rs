//! What the operator says of GPUs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bulkhead_core::{Size, Span};
use serde::{Deserialize, Serialize};

use crate::GpuError;
use crate::environment::{self, MAX_PROGRAM_NAME};

/// What a launcher needs of address space, with room: its executable is mapped whole.
const LEAST_MEMORY: Size = Size::from_mib(512);

/// The host's table `[gpu]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GpuSettings {
    /// Numbers of the devices that may be leased, as NVML counts them. Default: all.
    pub devices: Option<Vec<u32>>,
    /// Whether one device may be leased to several runs at once, `per_device` of them. Default: `false`.
    pub shared: bool,
    /// How many runs may have one device at once where `shared` is set. Default: 1.
    pub per_device: u32,
    /// `[gpu.programs.NAME]`: what grants may name. Default: none.
    pub programs: BTreeMap<String, ProgramSettings>,
    /// `PATH` of every program. Default: `/usr/local/bin:/usr/bin:/bin`.
    pub path: String,
    /// How much of a program's standard output is kept, and as much of its standard error. Default: 4 MiB.
    pub output: Size,
    /// Address space of each process of a program (`RLIMIT_AS`). Default: unlimited, since CUDA maps far more than it
    /// uses: all memory of all devices, among others. At least 512 MiB, since what starts the program lives under it too.
    pub memory: Option<Size>,
    /// Memory that the processes of one program together may hold; one that holds more is ended as out of memory. Looked
    /// at four times a second, so that a program can hold more for a moment; pages that processes share count once for
    /// each. Default: unlimited.
    pub resident: Option<Size>,
    /// Files that each process of a program may have open (`RLIMIT_NOFILE`); the host's own limit where that is lower.
    /// Default: 1024.
    pub files: u64,
    /// The largest file that a program may write (`RLIMIT_FSIZE`). Default: unlimited.
    pub file_size: Option<Size>,
    /// Where the folders of programs that have no workspace are made. Default: the system's folder for such.
    pub scratch: Option<PathBuf>,
    /// Where hosts of one machine lock the devices that they lease, the same folder for all of them. Default: `/run/lock`,
    /// or the system's folder for temporary files where that cannot be written to.
    pub locks: Option<PathBuf>,
    /// NVML failures in a row after which it is left alone for `rest`. Default: 3.
    pub failures: u32,
    /// How long NVML is left alone after so many failures. Default: 30 s.
    pub rest: Span,
}

/// The table `[gpu.programs.NAME]`: a program of the operator's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramSettings {
    /// Where it is, an absolute path.
    pub path: PathBuf,
    /// Arguments that come before those of the job. Default: none.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Environment that no job can change. Default: none; `HOME` is `/nonexistent` unless it is here.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Names that a job may set in its environment, such as `OMP_NUM_THREADS`. Default: none. Those by which loaders and
    /// interpreters find code cannot be listed.
    #[serde(default)]
    pub job_env: Vec<String>,
}

impl Default for GpuSettings {
    fn default() -> Self {
        Self {
            devices: None,
            shared: false,
            per_device: 1,
            programs: BTreeMap::new(),
            path: "/usr/local/bin:/usr/bin:/bin".into(),
            output: Size::from_mib(4),
            memory: None,
            resident: None,
            files: 1024,
            file_size: None,
            scratch: None,
            locks: None,
            failures: 3,
            rest: Span::from_secs(30),
        }
    }
}

impl GpuSettings {
    pub(crate) fn check(&self) -> Result<(), GpuError> {
        if self.per_device == 0 || (self.per_device > 1 && !self.shared) {
            return Err(GpuError::PerDevice(self.per_device));
        }
        if let Some(memory) = self.memory.filter(|memory| *memory < LEAST_MEMORY) {
            return Err(GpuError::Memory(memory));
        }
        if self.failures == 0 {
            return Err(GpuError::Failures);
        }
        if self.files < 16 {
            return Err(GpuError::Files(self.files));
        }
        if let Some(locks) = self.locks.as_ref().filter(|locks| !locks.is_absolute()) {
            return Err(GpuError::Locks(locks.clone()));
        }
        self.programs.iter().try_for_each(|(name, program)| program.check(name))
    }
}

impl ProgramSettings {
    fn check(&self, name: &str) -> Result<(), GpuError> {
        if name.is_empty() || name.len() > MAX_PROGRAM_NAME {
            return Err(GpuError::ProgramName(name.to_owned()));
        }
        if !self.path.is_absolute() || self.path.to_str().is_none_or(|path| path.contains('\0')) {
            let path = self.path.to_string_lossy().into_owned();
            return Err(GpuError::ProgramPath { program: name.to_owned(), path });
        }
        let refused = |field, value: &str, rule| GpuError::ProgramValue {
            program: name.to_owned(),
            field,
            value: value.to_owned(),
            rule,
        };
        if let Some(argument) = self.arguments.iter().find(|argument| argument.contains('\0')) {
            return Err(refused("arguments", argument, "it holds a zero byte"));
        }
        for (variable, value) in &self.env {
            if !environment::is_name(variable) || environment::is_devices(variable) {
                return Err(refused("env", variable, "a name has no `=`, and those of the lease are the host's own"));
            }
            if value.contains('\0') {
                return Err(refused("env", variable, "its value holds a zero byte"));
            }
        }
        self.job_env.iter().try_for_each(|variable| self.check_listed(name, variable))
    }

    /// Whether jobs may set a variable of this program.
    fn check_listed(&self, name: &str, variable: &str) -> Result<(), GpuError> {
        let rule = if !environment::is_name(variable) {
            "it is no name: it is empty, or has a `=` or a zero byte"
        } else if environment::is_devices(variable) {
            "it says which devices a program sees, which the lease does"
        } else if !environment::may_be_listed(variable) {
            "by it loaders or interpreters find code; fix its value in `env`"
        } else if self.env.contains_key(variable) {
            "`env` fixes its value"
        } else {
            return Ok(());
        };
        Err(GpuError::JobVariable { program: name.to_owned(), variable: variable.to_owned(), rule })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<(), GpuError> {
        toml::from_str::<GpuSettings>(text).unwrap().check()
    }

    #[test]
    fn an_empty_table_is_the_default() {
        assert_eq!(toml::from_str::<GpuSettings>("").unwrap(), GpuSettings::default());
        assert_eq!(toml::from_str::<crate::GpuGrant>("").unwrap(), crate::GpuGrant::default());
    }

    #[test]
    fn a_key_that_nobody_knows_is_refused() {
        assert!(toml::from_str::<GpuSettings>("device = [0]").is_err());
        assert!(toml::from_str::<GpuSettings>("[programs.smi]\npath = '/bin/true'\nshell = true").is_err());
        assert!(toml::from_str::<crate::GpuGrant>("program = []").is_err());
    }

    #[test]
    fn settings_that_make_no_sense_are_refused_and_named() {
        assert_eq!(checked("per_device = 2"), Err(GpuError::PerDevice(2)));
        assert_eq!(checked("shared = true\nper_device = 0"), Err(GpuError::PerDevice(0)));
        assert_eq!(checked("shared = true\nper_device = 2"), Ok(()));
        assert_eq!(checked("files = 3"), Err(GpuError::Files(3)));
        assert_eq!(checked("failures = 0"), Err(GpuError::Failures));
        assert_eq!(checked("locks = 'here'"), Err(GpuError::Locks("here".into())));
        assert_eq!(checked("memory = '511MiB'"), Err(GpuError::Memory(Size::from_mib(511))));
        let error = checked("[programs.smi]\npath = 'nvidia-smi'").unwrap_err();
        assert_eq!(error.to_string(), "`gpu.programs.smi.path` must be an absolute path in UTF-8: `nvidia-smi`");
        assert!(checked("[programs.smi]\npath = '/x'\nenv = { CUDA_VISIBLE_DEVICES = '0' }").is_err());
        assert_eq!(checked("[programs.smi]\npath = '/x'\nenv = { LD_LIBRARY_PATH = '/opt/cuda' }"), Ok(()));
    }

    #[test]
    fn what_jobs_may_never_set_cannot_be_listed_and_the_message_names_it() {
        let listed = |name: &str| {
            checked(&format!("[programs.smi]\npath = '/x'\nenv = {{ MODEL = 's' }}\njob_env = ['{name}']"))
        };
        assert_eq!(listed("OMP_NUM_THREADS"), Ok(()));
        for name in
            ["HOME", "PATH", "LD_PRELOAD", "PYTHONPATH", "_JAVA_OPTIONS", "CUDA_VISIBLE_DEVICES", "MODEL", "A=B", ""]
        {
            let text = listed(name).expect_err(name).to_string();
            assert!(text.starts_with(&format!("`gpu.programs.smi.job_env` may not list `{name}`: ")), "{text}");
        }
    }
}
