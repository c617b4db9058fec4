//! `bulkhead workflow graph`

use std::path::Path;

use anyhow::{Result, bail};
use bulkhead_core::TemplateRef;
use bulkhead_workflow::{Template, dot, graph, mermaid};
use serde_json::Value;

use super::super::show::text;
use super::{PATH, check};
use crate::arguments::Drawing;
use crate::assemble;
use crate::client::{Answer, Client, part};
use crate::exit::ExitStatus;
use crate::printer::Printer;
use crate::settings::Settings;

pub(super) fn run(
    what: &str,
    language: Drawing,
    client: &Client,
    settings: impl FnOnce() -> Result<Settings>,
    printer: &mut Printer,
) -> Result<ExitStatus> {
    let is_file = Path::new(what).extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    let drawing = if is_file {
        match check::read(Path::new(what), &assemble::templates(&settings()?))? {
            Ok(template) => drawn(&template, language)?,
            Err(errors) => {
                printer.note(&errors);
                return Ok(ExitStatus::Failure);
            }
        }
    } else {
        of_host(what, language, client)?
    };
    match language {
        Drawing::Json => printer.json(drawing.trim_end())?,
        Drawing::Mermaid | Drawing::Dot => printer.line(drawing.trim_end())?,
    }
    Ok(ExitStatus::Success)
}

fn drawn(template: &Template, language: Drawing) -> Result<String> {
    let plan = template.plan();
    Ok(match language {
        Drawing::Mermaid => mermaid(plan, &|_| None),
        Drawing::Dot => dot(plan, &|_| None),
        Drawing::Json => serde_json::to_string_pretty(&graph(plan, &|_| None))?,
    })
}

/// A workflow of the host, or where it has none of that id, a template.
fn of_host(what: &str, language: Drawing, client: &Client) -> Result<String> {
    let format = ("format", language.as_str());
    match client.get_text(&format!("{PATH}/{}/graph", part(what)), &[format])? {
        Ok(drawing) => return Ok(drawing),
        Err(answer) if answer.status != 404 && answer.status != 400 => return refused(answer),
        Err(_) => {}
    }
    let reference = TemplateRef::parse(what.to_owned())?;
    let (namespace, name, version) = reference.parts();
    let namespace = match namespace {
        Some(namespace) => namespace.to_owned(),
        None => namespace_of(name, client)?,
    };
    let path = format!("/v1/templates/{}/{}/graph", part(&namespace), part(name));
    let version = version.map(|version| ("version", version));
    let query: Vec<(&str, &str)> = [format].into_iter().chain(version).collect();
    client.get_text(&path, &query)?.or_else(refused)
}

fn refused(answer: Answer) -> Result<String> {
    answer.accepted().map(|body| body.to_string())
}

/// The one namespace that has a template of this name.
fn namespace_of(name: &str, client: &Client) -> Result<String> {
    let answer = client.get("/v1/templates", &[])?.accepted()?;
    let items = answer.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut found: Vec<String> =
        items.iter().filter(|item| text(item, "name") == name).map(|item| text(item, "namespace")).collect();
    found.dedup();
    match found.as_slice() {
        [namespace] => Ok(namespace.clone()),
        [] => bail!("there is neither a workflow nor a template `{name}`; see `bulkhead workflow templates`"),
        several => bail!("several namespaces have a template `{name}`: say which: {}", several.join(" ")),
    }
}
