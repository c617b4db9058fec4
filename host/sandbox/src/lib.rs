//! One fresh WebAssembly sandbox for each run, and the catalogue of live handlers.
//!
//! [`Sandbox`] is the engine with its pool, its fences and everything a guest may import; [`Handler`] is one immutable
//! version of a handler; [`Sandbox::run`] enters it once, in a store of its own, and says how that ended in the words
//! of [`bulkhead_core::RunEnd`]. [`Catalogue`] keeps the handlers of a folder live while their files come, change and go.

mod admission;
mod artifact;
mod bindings;
mod bounds;
mod cache;
mod catalogue;
mod catalogue_settings;
pub mod compiler;
mod component;
mod control;
mod delegates;
mod describe;
mod engine;
mod epoch;
mod fence;
mod folder;
mod guest_log;
mod handler;
mod host_context;
mod host_delegates;
mod host_http;
mod host_state;
mod http_request;
mod inspect;
mod keeper;
mod limiter;
mod linker;
mod live_handler;
mod load_error;
mod loader;
mod meter;
mod observer;
mod outcome;
mod pool;
mod prune;
mod request;
mod run;
mod run_error;
mod sandbox;
mod snapshot;
mod ticker;
mod transition;
mod upstream;
mod wasi;
pub mod workspace;

pub use catalogue::Catalogue;
pub use catalogue_settings::{CatalogueError, CatalogueSettings, HandlerSettings};
pub use control::{RunControl, Stop};
pub use delegates::{DelegateAnswer, Delegates};
pub use handler::Handler;
pub use http_request::{HttpBody, HttpFailure, HttpPatience, HttpProblem, HttpRequest};
pub use live_handler::LiveHandler;
pub use load_error::LoadError;
pub use observer::{LogLevel, Observer, Progress};
pub use request::{RunFacts, RunLimits, RunReport, RunRequest, StepFacts};
pub use sandbox::{Sandbox, SandboxError, SandboxSettings};
pub use snapshot::{HandlerEntry, HandlerStatus, HandlerView, Snapshot};
pub use upstream::{Upstream, UpstreamFuture};
pub use workspace::{Workspace, WorkspaceAccess, WorkspaceBounds, WorkspaceGrant};
