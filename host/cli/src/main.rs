//! The binary `bulkhead`: parsing, settings, printing, and putting the rooms together.

mod arguments;
mod assemble;
mod client;
mod commands;
mod exit;
mod printer;
mod settings;
mod telemetry;

use std::process::ExitCode;

use bulkhead_sandbox::compiler;
use clap::Parser;

use crate::arguments::Arguments;
use crate::exit::ExitStatus;
use crate::printer::Printer;

fn main() -> ExitCode {
    let mut called = std::env::args().skip(1);
    if called.next().as_deref() == Some(compiler::COMMAND) {
        return compiler::compile_standard_input(called);
    }
    let arguments = Arguments::parse();
    let mut printer = Printer::new(arguments.output);
    let status = commands::run(arguments, &mut printer).unwrap_or_else(|error| {
        if printer::is_broken_pipe(&error) {
            return ExitStatus::Success;
        }
        printer.error(&error);
        ExitStatus::Unexpected
    });
    status.into()
}
