//! Long runs that try to break the host: the program is `tests/src/bin/torture.rs`.

use std::ffi::OsString;

use anyhow::Result;

use crate::chore::cargo;
use crate::steps::Steps;
use crate::{guests, handlers, host, postgres, test, tools};

/// Builds what the torture needs, and starts it.
pub(crate) fn run(arguments: &[OsString]) -> Result<()> {
    let mut steps = Steps::of("torture");
    tools::set_up(&mut steps)?;
    let guests = guests::build(&mut steps)?;
    let handlers = handlers::build(&mut steps)?;
    let host = host::build_tortured(&mut steps)?;
    if arguments.iter().any(|argument| argument == "hosts" || argument == "--postgres") {
        // It starts servers of its own, to kill them.
        postgres::programs(&mut steps)?;
    }
    let mut torture = cargo(&["run", "--quiet", "--locked", "--package", "bulkhead-tests", "--bin", "torture", "--"]);
    torture.args(arguments);
    steps.run("torture", test::places(&mut torture, &guests, &handlers, &host))?;
    steps.finish();
    Ok(())
}
