//! The binary `bulkhead`.

use std::path::PathBuf;

use anyhow::Result;

use crate::chore::{cargo, target};
use crate::steps::Steps;

/// The named places at which kill tests end it.
pub(crate) const TEST_HOOKS: &str = "bulkhead/test-hooks";

/// Builds it as the demo uses it.
pub(crate) fn build(steps: &mut Steps) -> Result<PathBuf> {
    steps.run("host", &mut cargo(&CRASHING))?;
    apart("debug", "tested")
}

/// Builds it together with every test of the workspace: what is below them is built once for all, and not again for the
/// features that tests alone need.
pub(crate) fn build_with_tests(steps: &mut Steps) -> Result<PathBuf> {
    let all = ["build", "--quiet", "--locked", "--workspace", "--lib", "--bins", "--tests", "--features", TEST_HOOKS];
    steps.run("host and tests", &mut cargo(&all))?;
    apart("debug", "tested")
}

/// The same, as fast as it is used.
pub(crate) fn build_tortured(steps: &mut Steps) -> Result<PathBuf> {
    steps.run("host, release", cargo(&CRASHING).arg("--release"))?;
    apart("release", "tortured")
}

const CRASHING: [&str; 7] = ["build", "--quiet", "--locked", "--package", "bulkhead", "--features", TEST_HOOKS];

/// Puts what was built into a folder of its own, so that no other build puts one without the places in its place.
fn apart(profile: &str, folder: &str) -> Result<PathBuf> {
    let folder = target().join(folder);
    let (binary, beside) = (folder.join("bulkhead"), folder.join("bulkhead.new"));
    std::fs::create_dir_all(&folder)?;
    // Never written over: a host may be running from it.
    std::fs::copy(target().join(profile).join("bulkhead"), &beside)?;
    std::fs::rename(&beside, &binary)?;
    Ok(binary)
}

/// Builds it as it is used.
pub(crate) fn build_release(steps: &mut Steps) -> Result<PathBuf> {
    steps.run("host, release", &mut cargo(&["build", "--locked", "--release", "--package", "bulkhead"]))?;
    Ok(target().join("release/bulkhead"))
}
