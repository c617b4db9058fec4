//! `bulkhead db`

use anyhow::{Result, bail};
use bulkhead_store::sqlite::maintenance;
use serde_json::json;

use crate::arguments::DbCommand;
use crate::assemble;
use crate::exit::ExitStatus;
use crate::printer::Printer;
use crate::settings::Settings;

pub(super) fn run(command: &DbCommand, settings: &Settings, printer: &mut Printer) -> Result<ExitStatus> {
    let path = assemble::database(settings)?;
    let shown = path.display();
    match command {
        DbCommand::Migrate => {
            let version = maintenance::migrate(&path)?;
            printer.item(&json!({ "schema": version }), || format!("the store `{shown}` has schema {version}"))?;
        }
        DbCommand::Backup { to } => {
            maintenance::backup(&path, to)?;
            printer
                .item(&json!({ "backup": to }), || format!("the store `{shown}` is copied to `{}`", to.display()))?;
        }
        DbCommand::Check => {
            let problems = maintenance::check(&path)?;
            if !problems.is_empty() {
                problems.iter().try_for_each(|problem| printer.line(problem))?;
                bail!("the store `{shown}` is damaged: restore it from a backup");
            }
            printer.item(&json!({ "problems": [] }), || format!("the store `{shown}` is whole"))?;
        }
    }
    Ok(ExitStatus::Success)
}
