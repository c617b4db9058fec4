//! How a program that the host ran for a handler ended.

/// What a program used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Time from start to end, in milliseconds.
    pub wall_ms: u64,
    /// Time on all cores together, in milliseconds.
    pub cpu_ms: u64,
    /// The most memory it held at once.
    pub peak_memory_bytes: u64,
}

/// How a program ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code; 128 + the signal's number where a signal ended it.
    pub code: i32,
    /// The beginning of its standard output.
    pub stdout: Vec<u8>,
    /// The beginning of its standard error.
    pub stderr: Vec<u8>,
    /// Whether output beyond the limit was dropped.
    pub truncated: bool,
    /// Whether it was ended because it used up its memory.
    pub out_of_memory: bool,
    /// What it used.
    pub usage: Usage,
}
