//! The binary `bulkhead`: parsing, settings, printing, and putting the rooms together.
//!
//! A library only so that fuzzing reaches what the binary reads; nothing of it is for others to build on.

mod arguments;
mod assemble;
mod client;
mod commands;
mod exit;
#[doc(hidden)]
pub mod fuzzing;
mod printer;
mod settings;
mod store_place;
mod telemetry;
mod terminal;

use std::process::ExitCode;

use bulkhead_sandbox::compiler;
use clap::Parser;

use crate::arguments::Arguments;
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// Does what this process was called for, by its arguments.
pub fn run() -> ExitCode {
    let mut called = std::env::args().skip(1);
    if called.next().as_deref() == Some(compiler::COMMAND) {
        return compiler::compile_standard_input(called);
    }
    let arguments = Arguments::parse();
    let mut printer = Printer::new(arguments.output);
    let status = commands::run(arguments, &mut printer);
    let printed = printer.finish();
    let status = status.and_then(|status| printed.map(|()| status)).unwrap_or_else(|error| {
        if printer::is_broken_pipe(&error) {
            return ExitStatus::Success;
        }
        printer.error(&error);
        ExitStatus::Unexpected
    });
    status.into()
}
