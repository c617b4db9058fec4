//! The chores of this repository: `cargo xtask help` lists them.

mod chore;
mod guests;
mod test;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask CHORE

  test     sets up what it needs and runs every check and test
  guests   builds the components that tests and examples run
";

#[expect(clippy::print_stderr, reason = "a chore talks to the person who runs it")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.first().map(String::as_str) {
        Some("test") => test::run(),
        Some("guests") => guests::build().map(|_| ()),
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
