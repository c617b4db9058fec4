//! The binary `bulkhead`.

use std::path::PathBuf;

use anyhow::Result;

use crate::chore::{cargo, target};
use crate::steps::Steps;

/// Builds it as tests and demo use it: one build for both, with the named places at which kill tests end it. It goes into
/// a folder of its own, so that no other build puts one without them in its place.
pub(crate) fn build(steps: &mut Steps) -> Result<PathBuf> {
    let build = ["build", "--quiet", "--locked", "--package", "bulkhead", "--features", "crash-points"];
    steps.run("host", &mut cargo(&build))?;
    let folder = target().join("tested");
    let (binary, beside) = (folder.join("bulkhead"), folder.join("bulkhead.new"));
    std::fs::create_dir_all(&folder)?;
    // Never written over: a host may be running from it.
    std::fs::copy(target().join("debug/bulkhead"), &beside)?;
    std::fs::rename(&beside, &binary)?;
    Ok(binary)
}

/// Builds it as it is used.
pub(crate) fn build_release(steps: &mut Steps) -> Result<PathBuf> {
    steps.run("host, release", &mut cargo(&["build", "--locked", "--release", "--package", "bulkhead"]))?;
    Ok(target().join("release/bulkhead"))
}
