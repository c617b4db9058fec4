//! Runs of workflow steps: what their plan adds to a run, and what the host does of a step itself.
//!
//! A step that fans out, or has a condition, is claimed like any task; the host looks at the condition and makes the
//! tasks that stand for the step, which then wait for each other as any parent and its children do.

mod fan_out;
mod settings;
mod step;
mod upstream;

pub(crate) use fan_out::run_by_host;
pub(crate) use settings::joined_settings;
pub(crate) use step::{StepRun, step_of};
pub(crate) use upstream::upstream_of;
