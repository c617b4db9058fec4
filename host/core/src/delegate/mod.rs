//! What the host does for handlers, in the words of `interface delegate`, `docker`, `gpu` and `llm` of the contract.

mod breaker;
mod caller;
mod chat;
mod container;
mod error;
mod exit;
mod job;

pub use breaker::{Breaker, BreakerRules, BreakerState};
pub use caller::{Caller, CallerWorkspace, InUse, Overrun};
pub use chat::{Candidate, ChatMessage, ChatRequest};
pub use container::{Container, Mount};
pub use error::DelegateError;
pub use exit::{Exit, Usage};
pub use job::{Device, Job};
