//! What the operator lets one handler ask.

use bulkhead_docker::DockerGrant;
use bulkhead_gpu::GpuGrant;
use bulkhead_http::HttpGrant;
use bulkhead_llm::LlmGrant;

/// The delegates in `[handler.NAME.grants]`; none, and every call is denied.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Grants {
    /// `docker`
    pub docker: Option<DockerGrant>,
    /// `gpu`
    pub gpu: Option<GpuGrant>,
    /// `llm`
    pub llm: Option<LlmGrant>,
    /// `http`
    pub http: Option<HttpGrant>,
}

impl Grants {
    /// Whether nothing is granted.
    pub const fn is_empty(&self) -> bool {
        self.docker.is_none() && self.gpu.is_none() && self.llm.is_none() && self.http.is_none()
    }
}
