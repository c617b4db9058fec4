//! What a handler may ask of the GPUs.

use bulkhead_core::Size;
use serde::{Deserialize, Serialize};

/// The table `[handler.NAME.grants.gpu]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GpuGrant {
    /// Programs of `[gpu.programs]` that it may run. Default: none.
    pub programs: Vec<String>,
    /// The most devices that one run may have. Default: 1.
    pub count: u32,
    /// The most free memory that a run may ask of each device. Default: as much as a device has.
    pub memory_each: Option<Size>,
}

impl Default for GpuGrant {
    fn default() -> Self {
        Self { programs: Vec::new(), count: 1, memory_each: None }
    }
}
