//! The whole of it on a fresh folder, as a newcomer would type it.

use anyhow::Result;

use crate::steps::Steps;
use crate::{handlers, host, tools};

/// Runs the examples, and ends, or stays up.
pub(crate) fn run(_serve: bool) -> Result<()> {
    let mut steps = Steps::of("demo");
    tools::set_up(&mut steps)?;
    handlers::build(&mut steps)?;
    host::build(&mut steps)?;
    steps.finish();
    Ok(())
}
