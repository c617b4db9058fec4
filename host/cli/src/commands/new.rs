//! `bulkhead new`

use anyhow::{Context, Result, bail};
use bulkhead_workflow::Template;

use crate::arguments::NewCommand;
use crate::assemble;
use crate::exit::ExitStatus;
use crate::printer::Printer;
use crate::settings::Settings;

/// A template that says what may be in one.
const WORKFLOW: &str = include_str!("new/workflow.yaml");

pub(super) fn run(command: &NewCommand, settings: &Settings, printer: &mut Printer) -> Result<ExitStatus> {
    match command {
        NewCommand::Workflow { name } => workflow(name, settings, printer),
    }
}

fn workflow(name: &str, settings: &Settings, printer: &mut Printer) -> Result<ExitStatus> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if name.is_empty() || name.len() > 64 || !name.bytes().all(is_plain) {
        bail!("a new template's name is 1 to 64 of A–Z a–z 0–9 _ -: `{name}`");
    }
    let text = WORKFLOW.replace("NAME", name);
    if let Err(errors) = Template::read(name, &text, &assemble::templates(settings)) {
        bail!("{errors}");
    }
    let folder = &settings.workflow.dir;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    let file = folder.join(format!("{name}.yaml"));
    let shown = file.display();
    match std::fs::File::create_new(&file) {
        Ok(mut new) => std::io::Write::write_all(&mut new, text.as_bytes()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            bail!("`{shown}` is there already; take another name, or remove it first")
        }
        Err(error) => Err(error),
    }
    .with_context(|| format!("cannot write `{shown}`"))?;
    printer.line(&shown)?;
    printer.note(format_args!(
        "next: `bulkhead workflow check {shown}`, then, with the handler `render` live and `bulkhead run`,\n\
         `bulkhead workflow start {name} --input '{{\"template\": \"Hello, {{{{ name }}}}!\", \"context\": {{\"name\": \"Ada\"}}}}' --wait`"
    ));
    Ok(ExitStatus::Success)
}
