//! Settings: flag, then environment, then file, then default.

mod environment;
mod events;
mod resolve;
mod tables;
mod workflow;

pub(crate) use resolve::{Flag, Resolved, resolve, resolve_text};
pub(crate) use tables::{Caps, Grants, LogFormat, Settings};
