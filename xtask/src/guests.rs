//! The components that tests run.

use std::path::PathBuf;

use anyhow::Result;

use crate::chore::{WASM, cargo_in, root, target};
use crate::handlers;
use crate::steps::{Steps, say};
use crate::tools;

/// Builds everything that runs inside a sandbox, and says where it is.
pub(crate) fn run() -> Result<()> {
    let mut steps = Steps::of("guests");
    tools::set_up(&mut steps)?;
    let guests = build(&mut steps)?;
    let handlers = handlers::build(&mut steps)?;
    say(format_args!("test guests: {}\nhandlers and examples: {}", guests.display(), handlers.display()));
    steps.finish();
    Ok(())
}

/// Builds the test guests; gives the folder that holds them.
pub(crate) fn build(steps: &mut Steps) -> Result<PathBuf> {
    let build = ["build", "--quiet", "--locked", "--release", "--examples", "--target", WASM];
    steps.run("test guests", cargo_in(&root().join("tests/guests"), "guests", &build).env_remove("RUSTFLAGS"))?;
    Ok(target().join("guests").join(WASM).join("release/examples"))
}
