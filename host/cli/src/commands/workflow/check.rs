//! `bulkhead workflow check`

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bulkhead_workflow::{Problem, Template, TemplateErrors, TemplateSettings};
use serde_json::{Value, json};

use crate::assemble;
use crate::exit::ExitStatus;
use crate::printer::Printer;
use crate::settings::Settings;

pub(super) fn run(
    files: &[PathBuf],
    environment: Option<String>,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<ExitStatus> {
    let mut templates = assemble::templates(settings);
    templates.environment = environment.or(templates.environment);
    printer.gather(files.len() > 1);
    let mut status = ExitStatus::Success;
    for file in files {
        match read(file, &templates) {
            Ok(Ok(template)) => printer.item(&described(file, &template), || summary(file, &template))?,
            Ok(Err(errors)) => {
                status = ExitStatus::Failure;
                if printer.is_for_people() {
                    printer.note(&errors);
                } else {
                    let problems: Vec<Value> = errors.problems.iter().map(problem).collect();
                    printer.item(&json!({ "file": file, "errors": problems, "more": errors.more }), String::new)?;
                }
            }
            Err(error) => {
                printer.error(&error);
                status = ExitStatus::Failure;
            }
        }
    }
    Ok(status)
}

/// Reads a template's file.
pub(super) fn read(file: &Path, settings: &TemplateSettings) -> Result<Result<Template, TemplateErrors>> {
    let shown = file.display().to_string();
    let text = std::fs::read_to_string(file).with_context(|| format!("{shown}: cannot be read"))?;
    Ok(Template::read(&shown, &text, settings))
}

fn described(file: &Path, template: &Template) -> Value {
    let ignored = template.not_acted_on().iter();
    let ignored: Vec<Value> =
        ignored.map(|key| json!({ "key": key.key, "line": key.line, "about": key.about })).collect();
    let warnings: Vec<Value> = template.warnings().iter().map(problem).collect();
    json!({
        "file": file,
        "template": template.plan().reference(),
        "steps": template.plan().steps.len(),
        "digest": template.digest(),
        "warnings": warnings,
        "not_acted_on": ignored,
    })
}

fn problem(problem: &Problem) -> Value {
    let Problem { line, column, message, hint } = problem;
    json!({ "line": line, "column": column, "message": message, "hint": hint })
}

/// The verdict, then what may be a mistake, then the keys on which nothing acts.
fn summary(file: &Path, template: &Template) -> String {
    let (shown, plan) = (file.display(), template.plan());
    let mut lines = vec![format!("{shown}: {}: {} steps", plan.reference(), plan.steps.len())];
    for warning in template.warnings() {
        let Problem { line, column, message, hint } = warning;
        lines.push(format!("{shown}:{line}:{column}: warning: {message}"));
        lines.extend(hint.iter().map(|hint| format!("    {hint}")));
    }
    lines.extend(template.not_acted_on().iter().map(|key| format!("{shown}:{}: {key}", key.line)));
    lines.join("\n")
}
