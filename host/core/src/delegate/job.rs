//! Devices, and programs that run on them; the bounds stand in `interface gpu` of the contract.

/// A device as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its number on this host.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its memory.
    pub memory_bytes: u64,
    /// Memory that nobody uses now.
    pub free_memory_bytes: u64,
}

/// A program of the operator's, run with devices leased for it alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Job {
    /// A name from the operator's allow-list.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Environment.
    pub env: Vec<(String, String)>,
    /// Standard input.
    pub stdin: Vec<u8>,
    /// How many devices; at least 1.
    pub gpus: u32,
    /// Free memory that each of them must have.
    pub memory_bytes_each: Option<u64>,
}
