//! A container that a handler asks for; the bounds stand in `interface docker` of the contract.

/// A folder of the task's workspace, seen inside a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Path in the workspace, relative.
    pub source: String,
    /// Absolute path in the container.
    pub target: String,
    /// Whether it can only be read.
    pub read_only: bool,
}

/// A container to run to its end.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Container {
    /// An image on the operator's allow-list.
    pub image: String,
    /// Program and arguments; empty for the image's own.
    pub command: Vec<String>,
    /// Environment.
    pub env: Vec<(String, String)>,
    /// Absolute path in the container; the image's own where absent.
    pub working_dir: Option<String>,
    /// Standard input.
    pub stdin: Vec<u8>,
    /// Folders of the workspace.
    pub mounts: Vec<Mount>,
    /// Memory; the grant's limit where absent, and at most that.
    pub memory_bytes: Option<u64>,
    /// Cores; the grant's limit where absent, and at most that.
    pub cpus: Option<f64>,
    /// Processes at once; the grant's limit where absent, and at most that.
    pub processes: Option<u32>,
    /// Whether it has a network; needs the grant to say so.
    pub network: bool,
    /// Devices leased for the run; 0 for none.
    pub gpus: u32,
}
