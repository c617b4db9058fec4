//! `bulkhead db`

use std::path::Path;

use anyhow::{Result, anyhow, bail};
use bulkhead_store::postgres::{self, PostgresSettings};
use bulkhead_store::sqlite;
use serde_json::json;

use crate::arguments::DbCommand;
use crate::assemble;
use crate::exit::ExitStatus;
use crate::printer::Printer;
use crate::settings::Settings;
use crate::store_place::StorePlace;

pub(super) fn run(command: &DbCommand, settings: &Settings, printer: &mut Printer) -> Result<ExitStatus> {
    let place = assemble::store_place(settings)?;
    match place {
        StorePlace::File(path) => on_file(command, &path, printer),
        StorePlace::Server { url, in_shell } => {
            on_server(command, &assemble::server(settings, url)?, &in_shell, printer)
        }
    }
}

fn on_file(command: &DbCommand, path: &Path, printer: &mut Printer) -> Result<ExitStatus> {
    use sqlite::maintenance;
    let shown = path.display().to_string();
    match command {
        DbCommand::Migrate => migrated(&shown, maintenance::migrate(path)?, printer),
        DbCommand::Check => checked(&shown, &maintenance::check(path)?, printer),
        DbCommand::Backup { to } => {
            maintenance::backup(path, to)?;
            printer
                .item(&json!({ "backup": to }), || format!("the store `{shown}` is copied to `{}`", to.display()))?;
            Ok(ExitStatus::Success)
        }
    }
}

fn on_server(
    command: &DbCommand,
    settings: &PostgresSettings,
    in_shell: &str,
    printer: &mut Printer,
) -> Result<ExitStatus> {
    use postgres::maintenance;
    let shown = postgres::shown_url(&settings.url);
    match command {
        DbCommand::Migrate => migrated(&shown, maintenance::migrate(settings)?, printer),
        DbCommand::Check => checked(&shown, &maintenance::check(settings)?, printer),
        DbCommand::Backup { to } => bail!(
            "the store `{shown}` is on a server, whose own tools copy it; run, past any pooler:\n  \
             pg_dump --format=custom --file='{}' --dbname={in_shell}",
            to.display()
        ),
    }
}

fn migrated(shown: &str, version: i64, printer: &mut Printer) -> Result<ExitStatus> {
    printer.item(&json!({ "schema": version }), || format!("the store `{shown}` has schema {version}"))?;
    Ok(ExitStatus::Success)
}

fn checked(shown: &str, problems: &[String], printer: &mut Printer) -> Result<ExitStatus> {
    if problems.is_empty() {
        printer.item(&json!({ "problems": problems }), || format!("the store `{shown}` is whole"))?;
        return Ok(ExitStatus::Success);
    }
    printer.item(&json!({ "problems": problems }), || problems.join("\n"))?;
    printer.error(&anyhow!("the store `{shown}` is damaged: restore it from a backup"));
    Ok(ExitStatus::Failure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::printer::OutputFormat;

    #[test]
    fn a_damaged_store_is_a_check_that_found_something_bad() {
        let mut printer = Printer::new(OutputFormat::Json);
        let mut check = |problems: &[String]| checked("bulkhead.db", problems, &mut printer).expect("it is told");
        assert_eq!(check(&[]), ExitStatus::Success);
        assert_eq!(check(&["task 1 is in ready and in paused".to_owned()]), ExitStatus::Failure);
    }
}
