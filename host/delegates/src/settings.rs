//! What the operator says of the delegates of a host.

use bulkhead_docker::DockerSettings;
use bulkhead_gpu::GpuSettings;
use bulkhead_llm::LlmSettings;

/// The tables `[docker]`, `[gpu]` and `[llm]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DelegateSettings {
    /// Containers.
    pub docker: DockerSettings,
    /// Devices and the programs that may use them.
    pub gpu: GpuSettings,
    /// Language models.
    pub llm: LlmSettings,
}
