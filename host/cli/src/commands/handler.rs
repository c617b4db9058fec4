//! `bulkhead handler`

use std::path::Path;

use anyhow::{Context, Result};
use bulkhead_core::HandlerName;
use bulkhead_sandbox::Sandbox;
use serde_json::{Value, json};

use super::show;
use crate::arguments::HandlerCommand;
use crate::assemble;
use crate::client::{Client, part};
use crate::exit::ExitStatus;
use crate::printer::Printer;
use crate::settings::Settings;

pub(super) fn run(
    command: HandlerCommand,
    client: &Client,
    settings: impl FnOnce() -> Result<Settings>,
    printer: &mut Printer,
) -> Result<ExitStatus> {
    match command {
        HandlerCommand::List => list(client, printer),
        HandlerCommand::Inspect { name } => inspect(client, &name, printer),
        HandlerCommand::Check { files } => {
            let sandbox = assemble::sandbox(&settings()?)?;
            printer.gather(files.len() > 1);
            let mut status = ExitStatus::Success;
            for file in &files {
                match check(&sandbox, file) {
                    Ok(checked) => printer.item(&checked, || summary(&checked))?,
                    Err(error) => {
                        printer.error(&error);
                        status = ExitStatus::Failure;
                    }
                }
            }
            Ok(status)
        }
    }
}

fn list(client: &Client, printer: &mut Printer) -> Result<ExitStatus> {
    let answer = client.get("/v1/handlers", &[])?.accepted()?;
    let empty = Vec::new();
    let items = answer.get("items").and_then(Value::as_array).unwrap_or(&empty);
    printer.list(items, &["NAME", "STATUS", "KIND", "PROVIDES", "DIGEST", "REASON"], |item| {
        let digest = show::text(item, "digest").chars().take(12).collect();
        let mut row: Vec<String> =
            ["name", "status", "kind", "provides"].iter().map(|field| show::text(item, field)).collect();
        row.push(digest);
        row.push(show::text(item, "reason"));
        row
    })?;
    Ok(ExitStatus::Success)
}

fn inspect(client: &Client, name: &str, printer: &mut Printer) -> Result<ExitStatus> {
    let handler = client.get(&format!("/v1/handlers/{}", part(name)), &[])?.accepted()?;
    printer.item(&handler, || {
        let mut lines: Vec<String> = ["name", "status", "reason", "kind", "provides", "digest", "file"]
            .iter()
            .map(|field| (field, show::text(&handler, field)))
            .filter(|(_, text)| !text.is_empty())
            .map(|(field, text)| format!("{field:<16}{text}"))
            .collect();
        for (option, effective) in handler.get("options").and_then(Value::as_object).into_iter().flatten() {
            lines.push(format!(
                "{option:<16}{:<40} {}",
                show::text(effective, "value"),
                show::text(effective, "source")
            ));
        }
        lines.join("\n")
    })?;
    Ok(ExitStatus::Success)
}

fn check(sandbox: &Sandbox, file: &Path) -> Result<Value> {
    let shown = file.display();
    let bytes = std::fs::read(file).with_context(|| format!("{shown}: cannot be read"))?;
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let name = HandlerName::parse(stem).with_context(|| format!("{shown}: rename the file"))?;
    let handler = sandbox.load(&name, &bytes).with_context(|| format!("{shown}: refused"))?;
    Ok(json!({
        "file": shown.to_string(),
        "name": name,
        "kind": handler.kind(),
        "provides": handler.provides(),
        "defaults": handler.defaults(),
        "digest": handler.version().digest,
        "size_bytes": handler.size_bytes(),
    }))
}

fn summary(checked: &Value) -> String {
    format!(
        "{}: serves {} and provides {} · defaults {} · {} bytes · {}",
        show::text(checked, "file"),
        show::text(checked, "kind"),
        show::text(checked, "provides"),
        show::text(checked, "defaults"),
        show::text(checked, "size_bytes"),
        show::text(checked, "digest").chars().take(12).collect::<String>(),
    )
}
