//! Formats and lints.

use anyhow::Result;

use crate::chore::{cargo, root};
use crate::handlers;
use crate::steps::Steps;
use crate::tools;

/// The quick half of `test`.
pub(crate) fn run() -> Result<()> {
    let mut steps = Steps::of("check");
    tools::set_up(&mut steps)?;
    format_and_lints(&mut steps)?;
    steps.finish();
    Ok(())
}

/// Everything is formatted, and no lint complains.
pub(crate) fn format_and_lints(steps: &mut Steps) -> Result<()> {
    steps.run("format", &mut cargo(&["fmt", "--all", "--check"]))?;
    steps.run("guests format", cargo(&["fmt", "--all", "--check"]).current_dir(root().join("tests/guests")))?;
    steps.run("fuzz format", cargo(&["fmt", "--all", "--check"]).current_dir(root().join("fuzz")))?;
    let lints = ["clippy", "--quiet", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
    steps.run("lints", &mut cargo(&lints))?;
    let lints = ["clippy", "--quiet", "--locked", "--all-targets", "--", "-D", "warnings"];
    steps.run("fuzz lints", cargo(&lints).current_dir(root().join("fuzz")))?;
    handlers::check(steps)
}
