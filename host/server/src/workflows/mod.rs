//! `/v1/workflows`: beginning workflows, looking at them and changing their course.

mod change;
mod drawing;
mod look;
mod start;
mod whole;

pub(crate) use change::{cancel, pause, resume};
pub(crate) use drawing::{GraphQuery, drawn, graph};
pub(crate) use look::{get, list};
pub(crate) use start::start;

use bulkhead_core::TaskId;

use crate::problem::Problem;

/// There is no workflow of that name.
fn unknown(id: &TaskId) -> Problem {
    Problem::NotFound(format!("there is no workflow `{id}`"))
}
