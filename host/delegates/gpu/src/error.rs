//! Why the settings of the delegate make no sense.

/// Why [`Gpu::new`](crate::Gpu::new) refused its settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GpuError {
    /// A program's name is empty or too long.
    #[error("the name of a program of `gpu.programs` has 1 to 128 bytes: `{0}`")]
    ProgramName(String),
    /// A program's path is not absolute, or not UTF-8.
    #[error("`gpu.programs.{program}.path` must be an absolute path in UTF-8: `{path}`")]
    ProgramPath {
        /// The program.
        program: String,
        /// Its path.
        path: String,
    },
    /// An argument or a variable of a program cannot be handed to any program.
    #[error("`gpu.programs.{program}.{field}` cannot be handed to a program: `{value}`; {rule}")]
    ProgramValue {
        /// The program.
        program: String,
        /// The setting.
        field: &'static str,
        /// What it cannot be.
        value: String,
        /// What it must be.
        rule: &'static str,
    },
    /// A variable that no job may set.
    #[error("`gpu.programs.{program}.job_env` may not list `{variable}`: {rule}")]
    JobVariable {
        /// The program.
        program: String,
        /// The variable.
        variable: String,
        /// Why not, or what to do instead.
        rule: &'static str,
    },
    /// More than one task per device where devices are not shared, or none.
    #[error("`gpu.per_device` is at least 1, and more than 1 only with `gpu.shared = true`: `{0}`")]
    PerDevice(u32),
    /// Too little address space for any program to start.
    #[error("`gpu.memory` is at least 512MiB, or absent: `{0}`")]
    Memory(bulkhead_core::Size),
    /// NVML would be left alone from the start.
    #[error("`gpu.failures` is at least 1: `0`")]
    Failures,
    /// Hosts would look for each other's locks in different places.
    #[error("`gpu.locks` must be an absolute path: `{}`", .0.display())]
    Locks(std::path::PathBuf),
    /// Too few files for any program to start.
    #[error("`gpu.files` is at least 16: `{0}`")]
    Files(u64),
}
