//! Language models that handlers ask, by OpenAI-compatible backends under a grant.
//!
//! [`Llm`] holds the operator's backends. What a handler asks is checked in `admit` (pure); each candidate then makes its
//! way over the backends in `candidate`, where `choose` (pure) decides who is asked next; `attempt` is one try with all
//! that must be put right when it ends or is dropped, `pulse` whether the backend is still heard of, `exchange` its HTTP,
//! `reading` what the answer means. Keys are in `key`; nothing prints them.
//!
//! Tokens are counted as the backend reports them. Where it reports none, or breaks off, they are estimated: a quarter
//! of the bytes (`estimate`), and for the answer no more than was asked for. A try that ran out of time or was dropped
//! counts, because the backend may have worked all the while; one that was refused does not. Each request is told the
//! most tokens that its answer may have, so that a task goes past its budget by no more than the estimate of its
//! question was wrong.

mod address;
mod admit;
mod attempt;
mod backend;
mod candidate;
mod charge;
mod choose;
mod client;
mod clock;
mod error;
mod error_body;
mod estimate;
mod exchange;
mod failure;
mod grant;
mod key;
mod llm;
mod meter;
mod metrics;
mod probe;
mod pulse;
mod question;
mod reading;
mod retry_after;
mod settings;
mod sse;

pub use address::BackendUrl;
pub use error::LlmError;
pub use grant::LlmGrant;
pub use key::{KeyError, KeyPlace};
pub use llm::Llm;
pub use meter::TokenMeter;
pub use metrics::LlmMetrics;
pub use probe::BackendHealth;
pub use settings::{BackendSettings, LimitField, LlmSettings};
