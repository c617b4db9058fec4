//! What several built-in handlers have in common: workspaces and how they are named, and what it is to run a program.

mod devices;
mod execution;
mod failure;
mod limits;
mod output;
mod payload;
mod source;
mod workspace;

pub use devices::asks_for_gpus;
pub use failure::payload as bad_payload;
pub use limits::{Limits, Size};
pub use output::{Output, output};
pub use payload::Payload;
pub use source::Source;
pub use workspace::{WorkspaceUri, inside, workspace};
