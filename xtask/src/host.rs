//! The binary `bulkhead`.

use std::path::PathBuf;

use anyhow::Result;

use crate::chore::{cargo, target};
use crate::steps::Steps;

/// Builds it as tests and demo use it: one build for both, with the named places at which kill tests end it.
pub(crate) fn build(steps: &mut Steps) -> Result<PathBuf> {
    steps.run("host", &mut cargo(&["build", "--locked", "--package", "bulkhead", "--features", "crash-points"]))?;
    Ok(target().join("debug/bulkhead"))
}

/// Builds it as it is used.
pub(crate) fn build_release(steps: &mut Steps) -> Result<PathBuf> {
    steps.run("host, release", &mut cargo(&["build", "--locked", "--release", "--package", "bulkhead"]))?;
    Ok(target().join("release/bulkhead"))
}
