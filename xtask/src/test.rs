//! Every check and test.

use anyhow::Result;

use crate::chore::{cargo, step};
use crate::guests;

/// Formats are checked, lints are clean, and every test of the workspace passes.
pub fn run() -> Result<()> {
    let guests = guests::build()?;
    step("format", &mut cargo(&["fmt", "--all", "--check"]))?;
    step("lints", &mut cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    step(
        "tests",
        cargo(&["test", "--quiet", "--workspace", "--lib", "--bins", "--tests"]).env("BULKHEAD_GUESTS", guests),
    )?;
    step("documentation tests", &mut cargo(&["test", "--quiet", "--workspace", "--doc"]))
}
