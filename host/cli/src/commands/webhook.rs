//! `bulkhead webhook`

use anyhow::Result;
use serde_json::{Value, json};

use super::show;
use crate::arguments::{AddWebhook, WebhookCommand};
use crate::client::{Client, part};
use crate::exit::ExitStatus;
use crate::printer::Printer;

pub(super) fn run(command: WebhookCommand, client: &Client, printer: &mut Printer) -> Result<ExitStatus> {
    match command {
        WebhookCommand::Add(arguments) => add(&arguments, client, printer)?,
        WebhookCommand::List => {
            let answer = client.get("/v1/webhooks", &[])?.accepted()?;
            printer.list(items(&answer), &["NAME", "URL", "EVENTS", "PENDING", "PARKED", "ERROR"], |item| {
                ["name", "url", "events", "pending", "parked", "error"].map(|field| show::text(item, field)).into()
            })?;
        }
        WebhookCommand::Show { name } => {
            let webhook = client.get(&path(&name), &[])?.accepted()?;
            printer.item(&webhook, || whole(&webhook))?;
        }
        WebhookCommand::Remove { names } => return remove(&names, client, printer),
        WebhookCommand::Parked { name, after, limit } => {
            let (after, limit) = (after.to_string(), limit.to_string());
            let query = [("after", after.as_str()), ("limit", limit.as_str())];
            let answer = client.get(&format!("{}/parked", path(&name)), &query)?.accepted()?;
            printer.list(items(&answer), &["NUMBER", "EVENT", "TASK", "ATTEMPTS", "PARKED", "ERROR"], |item| {
                let event = item.get("event").cloned().unwrap_or_default();
                let data = event.get("data").cloned().unwrap_or_default();
                let of = |field| show::text(item, field);
                let (number, attempts, parked_at, error) = (of("number"), of("attempts"), of("parked_at"), of("error"));
                vec![number, show::text(&event, "type"), show::text(&data, "task"), attempts, parked_at, error]
            })?;
            if answer.get("next").is_some_and(|next| !next.is_null()) {
                printer.note(format_args!("there are more: --after {}", show::text(&answer, "next")));
            }
        }
        WebhookCommand::Retry { name, events } => {
            let body = if events.is_empty() { json!({}) } else { json!({ "events": events }) };
            let body = serde_json::to_vec(&body)?;
            let answer = client.post(&format!("{}/retry", path(&name)), &[], "application/json", &body)?.accepted()?;
            printer.item(&answer, || format!("{} tried again", show::text(&answer, "retried")))?;
        }
    }
    Ok(ExitStatus::Success)
}

fn path(name: &str) -> String {
    format!("/v1/webhooks/{}", part(name))
}

fn items(answer: &Value) -> &[Value] {
    answer.get("items").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn add(arguments: &AddWebhook, client: &Client, printer: &mut Printer) -> Result<()> {
    let AddWebhook { name, receiver, events, kinds, tenant, secret } = arguments;
    let mut body = json!({ "name": name, "url": receiver, "kinds": kinds, "tenant": tenant, "secret": secret });
    if let (Some(members), false) = (body.as_object_mut(), events.is_empty()) {
        members.insert("events".to_owned(), json!(events));
    }
    let added = client.post("/v1/webhooks", &[], "application/json", &serde_json::to_vec(&body)?)?.accepted()?;
    printer.item(&added, || show::text(&added, "secret"))?;
    if secret.is_none() {
        printer.note("the receiver checks signatures with this secret; it is not shown again");
    }
    Ok(())
}

fn remove(names: &[String], client: &Client, printer: &mut Printer) -> Result<ExitStatus> {
    printer.gather(names.len() > 1);
    let mut status = ExitStatus::Success;
    for name in names {
        match client.delete(&path(name))?.accepted() {
            Ok(answer) => printer.item(&answer, || format!("{name} removed"))?,
            Err(error) => {
                printer.error(&error);
                status = ExitStatus::Failure;
            }
        }
    }
    Ok(status)
}

/// A webhook, for people.
fn whole(webhook: &Value) -> String {
    let fields =
        ["name", "url", "events", "kinds", "tenant", "secret", "made_at", "pending", "oldest", "parked", "error"];
    let lines = fields.into_iter().map(|field| (field, show::text(webhook, field)));
    lines
        .filter(|(_, text)| !text.is_empty())
        .map(|(field, text)| format!("{field:<10}{text}"))
        .collect::<Vec<_>>()
        .join("\n")
}
