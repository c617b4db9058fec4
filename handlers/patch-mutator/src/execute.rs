//! The task that runs what was made.

use bulkhead_sdk::{Child, Failure};
use handlers_shared::{WorkspaceUri, bad_payload};
use serde_json::{Map, Value};

/// The kind of what follows.
const KIND: &str = "EXECUTE";
/// What a task requires that asks for devices.
const GPU: &str = "gpu";

/// A task of kind EXECUTE with the new source filled in: as `source`, or in the place of each `null` of its files. Its own
/// `options` are those of the task, and no part of its payload.
pub(crate) fn child(template: &Map<String, Value>, workspace: &WorkspaceUri, source: &str) -> Result<Child, Failure> {
    let mut payload = template.clone();
    payload.entry("workspace_uri").or_insert_with(|| workspace.as_str().into());
    let place = payload.entry("source").or_insert(Value::Null);
    match place {
        Value::Null => *place = source.into(),
        Value::Object(files) => {
            let mut holes = files.values_mut().filter(|file| file.is_null()).peekable();
            if holes.peek().is_none() {
                return Err(bad_payload("`execute.source` must have a file that is `null`, for the new source"));
            }
            holes.for_each(|hole| *hole = source.into());
        }
        _ => {
            return Err(bad_payload(
                "`execute.source` must be absent, for the new source, or an object of files of which one is `null`",
            ));
        }
    }
    // A handler is not told which workspace its task uses: who let it share one says so for what follows, too.
    let options = payload.remove("options").filter(|options| !options.is_null());
    if options.as_ref().is_some_and(|options| !options.is_object()) {
        return Err(bad_payload(
            "`execute.options` must be an object of a task's options, as `{\"workspace\": \"workspace:a\"}`",
        ));
    }
    let asks = |field: &str| payload.get(field).is_some_and(|value| !value.is_null());
    let requires = (asks("gpus") || asks("program")).then_some(GPU);
    let mut child = Child::new(KIND, payload)?.requiring(requires);
    child.options = options;
    Ok(child)
}
