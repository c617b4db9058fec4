//! The binary `bulkhead`; all of it is in the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    bulkhead::run()
}
