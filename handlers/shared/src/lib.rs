//! What several built-in handlers have in common: workspaces and how they are named, and what it is to run a program.

mod execution;
mod failure;
mod limits;
mod output;
mod source;
mod workspace;

pub use execution::{Execution, asks_for_gpus};
pub use failure::payload as bad_payload;
pub use limits::{Limits, Size};
pub use output::{Output, output};
pub use source::Source;
pub use workspace::{WorkspaceUri, inside, workspace};
