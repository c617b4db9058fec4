//! Where values are read from: files of the workspace, and the result of an execution.

use std::io::Read;
use std::path::Path;

use bulkhead_sdk::{Context, Failure, UpstreamEnd};
use serde_json::{Map, Value};

/// The largest file that is read: programs write them, and one must not use up the memory of this handler.
const MAX_FILE: u64 = 1 << 20;

/// What there is, or why it is missing.
pub(crate) type Found<T> = Result<T, String>;

/// What an execution left behind.
pub(crate) struct Evidence<'a> {
    context: &'a Context<'a>,
    run: Found<Map<String, Value>>,
}

impl<'a> Evidence<'a> {
    /// With the run of the payload, or with what the named workflow step gave.
    pub(crate) fn new(context: &'a Context<'a>, run: Option<Map<String, Value>>, step: Option<&str>) -> Self {
        let run = match (run, step) {
            (Some(run), _) => Ok(run),
            (None, None) => Err("the payload has no `run`".to_owned()),
            (None, Some(step)) => match context.upstream_named(step).map(|upstream| upstream.end) {
                Some(UpstreamEnd::Succeeded(Value::Object(run)) | UpstreamEnd::Resolved(Value::Object(run))) => Ok(run),
                Some(_) => Err(format!("the step `{step}` did not succeed with an object")),
                None => Err(format!("the payload has no `run`, and this task does not follow a step `{step}`")),
            },
        };
        Self { context, run }
    }

    /// The run.
    pub(crate) fn run(&self) -> Found<&Map<String, Value>> {
        self.run.as_ref().map_err(String::clone)
    }

    /// A field of the run.
    pub(crate) fn field(&self, name: &str) -> Found<&Value> {
        self.run()?.get(name).ok_or_else(|| format!("the run has no `{name}`"))
    }

    /// The text of a file, where what is not UTF-8 is replaced; a failure where there is no workspace at all.
    pub(crate) fn file(&self, path: &Path) -> Result<Found<String>, Failure> {
        let folder = handlers_shared::workspace(self.context, "evaluate", "read")?;
        Ok(text(&folder.join(path)).map_err(|why| format!("`{}` {why}", path.display())))
    }
}

fn text(path: &Path) -> Found<String> {
    let explained = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "is not in the workspace".to_owned(),
        _ => format!("cannot be read: {error}"),
    };
    // Before it is opened: to open a pipe may take for ever.
    if !std::fs::metadata(path).map_err(explained)?.is_file() {
        return Err("is no file".to_owned());
    }
    let file = std::fs::File::open(path).map_err(explained)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(explained)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(format!("is larger than {MAX_FILE} bytes"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
