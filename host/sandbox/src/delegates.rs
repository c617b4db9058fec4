//! What the host does for a run beyond its sandbox.

use std::future::Future;
use std::pin::Pin;

use bulkhead_core::{Candidate, ChatRequest, Container, DelegateError, Device, Exit, Job};

use crate::{HttpBody, HttpFailure, HttpRequest};

/// What a delegate answers in time; dropping it ends whatever is done for it.
pub type DelegateAnswer<T, E = DelegateError> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// The delegates of one run, under the grants of its handler.
///
/// Each refuses by itself what was not granted, and names the setting that would grant it.
pub trait Delegates: Send + Sync {
    /// Runs a container to its end.
    fn run_container(&self, container: Container) -> DelegateAnswer<Exit>;

    /// The devices of this host; none where the handler may use none.
    fn devices(&self) -> DelegateAnswer<Vec<Device>>;

    /// Runs a program with devices leased for it alone, to its end.
    fn run_job(&self, job: Job) -> DelegateAnswer<Exit>;

    /// Asks language models.
    fn generate(&self, request: ChatRequest) -> DelegateAnswer<Vec<Candidate>>;

    /// Sends a request by HTTP, and gives the head of what comes back; its body ends where it is dropped.
    fn send(&self, request: HttpRequest) -> DelegateAnswer<http::Response<HttpBody>, HttpFailure>;
}
