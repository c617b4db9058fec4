//! `bulkhead exec`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bulkhead_core::{Caller, CallerWorkspace, HandlerName, JsonText, RunEnd, Submission, TaskId};
use bulkhead_delegates::RunDelegates;
use bulkhead_sandbox::{Catalogue, LiveHandler, LogLevel, Observer, Progress, Workspace, WorkspaceAccess};

use super::read_payload;
use crate::arguments::ExecArguments;
use crate::assemble;
use crate::exit::ExitStatus;
use crate::printer::Printer;
use crate::settings::Settings;

/// How long the removal of containers is waited for, as when the run was ended by its time.
const LAST_REMOVALS: Duration = Duration::from_secs(10);

pub(super) fn run(arguments: &ExecArguments, settings: &Settings, printer: &mut Printer) -> Result<ExitStatus> {
    let payload = read_payload(&arguments.payload)?;
    let limit = usize::try_from(settings.store.max_payload.bytes()).unwrap_or(usize::MAX);
    let payload = JsonText::parse(payload.trim(), limit).context("the payload is refused")?;
    let file = handler_file(&arguments.handler, settings)?;
    let bytes = std::fs::read(&file).with_context(|| format!("the handler cannot be read: `{}`", file.display()))?;
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let name = HandlerName::parse(stem)?;
    let workspace = arguments.workspace.as_deref().map(|folder| open_workspace(folder, settings)).transpose()?;

    // Alone in a catalogue of its own: the settings apply to it as they would in the handlers folder.
    let folder = tempfile::tempdir().context("no temporary folder could be made")?;
    std::fs::write(folder.path().join(format!("{name}.wasm")), &bytes)?;
    let sandbox = assemble::sandbox(settings)?;
    let handler = sandbox.load(&name, &bytes).with_context(|| format!("the handler `{name}` is refused"))?;
    let mut catalogue_settings = assemble::catalogue(settings, folder.path(), handler.provides().clone())?;
    catalogue_settings.plugins.clear();
    let catalogue = Catalogue::open(sandbox.clone(), catalogue_settings)?;
    let snapshot = catalogue.snapshot();
    let [live] = snapshot.serving(handler.kind()) else {
        let reason = snapshot.entries().first().and_then(|entry| entry.status.reason()).unwrap_or("it is not live");
        bail!("the handler `{name}` is kept out: {reason}");
    };

    let text = format!(r#"{{"kind":"{}","payload":{payload}}}"#, handler.kind());
    let task = serde_json::from_str::<Submission>(&text)?.check(&bulkhead_core::SubmissionLimits { payload: limit })?;
    // Delegates do their work beside the guest.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let observer: Arc<dyn Observer> = Arc::new(ToStandardError);
    let report = runtime.block_on(async {
        let delegates = delegates(settings, live, workspace.as_ref())?;
        let (asked, observer) = (delegates.clone(), Some(observer));
        let report = bulkhead_worker::exec_once(&sandbox, live, &task, workspace, asked, observer).await;
        if let Some(delegates) = delegates
            && tokio::time::timeout(LAST_REMOVALS, delegates.settled()).await.is_err()
        {
            printer
                .note("a container of this run is left behind: `docker ps --all --filter label=bulkhead.store=exec`");
        }
        anyhow::Ok(report)
    })?;
    match &report.end {
        RunEnd::Completed(completion) => {
            printer.json(&completion.result)?;
            Ok(ExitStatus::Success)
        }
        end => {
            let error = end.error();
            printer.note(match error {
                Some(error) => format!("{} ({}): {}", end.name(), error.code, error.message),
                None => format!("the run ended as {}", end.name()),
            });
            Ok(ExitStatus::Failure)
        }
    }
}

/// What does for the handler what it was granted, where that is anything.
fn delegates(
    settings: &Settings,
    live: &LiveHandler,
    workspace: Option<&Workspace>,
) -> Result<Option<Arc<RunDelegates>>> {
    let handler = &live.handler.version().name;
    let delegates = assemble::delegates(settings, "exec", &prometheus::Registry::new())?;
    if !delegates.grants_any(handler) {
        return Ok(None);
    }
    let deadline = bulkhead_worker::calls_deadline(Instant::now() + live.options_for(None).timeout.duration());
    let caller = Caller {
        handler: handler.clone(),
        task: TaskId::parse(format!("exec-{}", std::process::id()))?,
        lease: None,
        workspace: workspace.map(CallerWorkspace::from),
        traceparent: None,
        deadline,
    };
    // It has no neighbours, so its end is known from the start.
    Ok(Some(delegates.for_run(caller, 0, move || Some(deadline))))
}

/// A path as it stands, or a name of the handlers folder.
fn handler_file(typed: &str, settings: &Settings) -> Result<PathBuf> {
    let path = Path::new(typed);
    if path.is_file() {
        return Ok(path.to_owned());
    }
    let named = settings.handlers.dir.join(format!("{typed}.wasm"));
    if named.is_file() {
        return Ok(named);
    }
    bail!("there is no handler file `{typed}`, and none of that name in `{}`", settings.handlers.dir.display())
}

fn open_workspace(folder: &Path, settings: &Settings) -> Result<Workspace> {
    if !folder.is_dir() {
        bail!("the workspace is no folder: `{}`", folder.display());
    }
    let bounds = assemble::workspaces(settings).bounds;
    Workspace::open(folder.to_owned(), WorkspaceAccess::ReadWrite, bounds)
        .with_context(|| format!("the workspace cannot be opened: `{}`", folder.display()))
}

/// Shows what the guest says, beside the result.
#[derive(Debug)]
struct ToStandardError;

impl Observer for ToStandardError {
    fn log(&self, level: LogLevel, message: &str, _fields: &str) {
        Printer::new(crate::printer::OutputFormat::Table).note(format_args!("[{}] {message}", level.as_str()));
    }

    fn progress(&self, progress: Progress<'_>) {
        let percent = progress.fraction.map(|part| format!(" {:.0} %", part * 100.0)).unwrap_or_default();
        let mut printer = Printer::new(crate::printer::OutputFormat::Table);
        printer.note(format_args!("[progress]{percent} {} {}", progress.stage, progress.text));
    }

    fn audit(&self, code: &str, details: &str) {
        Printer::new(crate::printer::OutputFormat::Table).note(format_args!("[audit] {code} {details}"));
    }
}
