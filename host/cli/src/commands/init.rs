//! `bulkhead init`

use anyhow::{Context, Result};

use crate::arguments::InitArguments;
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// The settings file that a new folder gets: every line that matters, commented with its default.
const SETTINGS: &str = include_str!("init.toml");

pub(super) fn run(arguments: &InitArguments, printer: &mut Printer) -> Result<ExitStatus> {
    let folder = &arguments.folder;
    let handlers = folder.join("handlers");
    std::fs::create_dir_all(&handlers).with_context(|| format!("cannot make the folder `{}`", handlers.display()))?;
    let settings = folder.join("bulkhead.toml");
    if settings.exists() {
        printer.note(format_args!("kept {}, which was there already", settings.display()));
    } else {
        std::fs::write(&settings, SETTINGS).with_context(|| format!("cannot write `{}`", settings.display()))?;
        printer.note(format_args!("wrote {}", settings.display()));
    }
    printer.note(format_args!("handlers go into {}", handlers.display()));
    printer.note(
        "next: put a handler's .wasm there, then `bulkhead run`, then `bulkhead submit KIND --payload '{}' --wait`",
    );
    Ok(ExitStatus::Success)
}
