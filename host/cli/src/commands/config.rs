//! `bulkhead config`

use anyhow::Result;
use serde_json::json;

use crate::arguments::ConfigCommand;
use crate::assemble;
use crate::exit::ExitStatus;
use crate::printer::Printer;
use crate::settings::Resolved;
use crate::store_place::StorePlace;

pub(super) fn run(command: &ConfigCommand, resolved: &Resolved, printer: &mut Printer) -> Result<ExitStatus> {
    // What reading alone does not refuse.
    if let StorePlace::Server { url, .. } = assemble::store_place(&resolved.settings)? {
        assemble::server(&resolved.settings, url)?;
    }
    bulkhead_server::check_address(resolved.settings.server.listen)?;
    let file = resolved.file.as_ref().map_or_else(|| "no settings file".to_owned(), |file| file.display().to_string());
    match command {
        ConfigCommand::Check => printer.note(format_args!("{file}: good")),
        ConfigCommand::Show => {
            let rows: Vec<_> = resolved
                .rows()
                .into_iter()
                .map(|(key, value, source)| json!({ "key": key, "value": value, "source": source }))
                .collect();
            printer.list(&rows, &["SETTING", "VALUE", "FROM"], |row| {
                let value = row.get("value").map(ToString::to_string).unwrap_or_default();
                vec![super::show::text(row, "key"), value, super::show::text(row, "source")]
            })?;
        }
    }
    Ok(ExitStatus::Success)
}
