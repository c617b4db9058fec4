//! The folder that the host shares with a task, and how payloads name it.

use std::path::{Component, Path, PathBuf};

use bulkhead_sdk::{Context, Failure};
use serde::{Deserialize, Serialize};

use crate::failure;

/// The longest id: that of a task.
const MAX_ID: usize = 128;

/// The name of a workspace: `workspace:` and its id.
///
/// It names the workspace of the task that carries it. Which folder that is, the host decides: a sandbox sees one, and
/// cannot reach another by naming it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WorkspaceUri(String);

impl WorkspaceUri {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for WorkspaceUri {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let id = text.strip_prefix("workspace:").unwrap_or_default();
        if (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(Self(text));
        }
        Err(format!(
            "`workspace_uri` must be `workspace:` and an id of 1 to {MAX_ID} visible ASCII characters, not `{}`",
            text.escape_debug()
        ))
    }
}

impl From<WorkspaceUri> for String {
    fn from(uri: WorkspaceUri) -> Self {
        uri.0
    }
}

/// The task's workspace; where the operator granted none, a failure that names the setting of this handler.
pub fn workspace(context: &Context, handler: &str, access: &str) -> Result<PathBuf, Failure> {
    let folder = context.workspace();
    if folder.is_dir() {
        return Ok(folder);
    }
    Err(Failure::permanent(
        "no_workspace",
        format!(
            "there is no workspace; next: set `workspace = \"{access}\"` under [handler.{handler}.grants], or run \
             `bulkhead exec --workspace DIR`"
        ),
    ))
}

/// The path of a file in a workspace: relative, and not out of it.
pub fn inside(field: &str, path: &str) -> Result<PathBuf, String> {
    let refused =
        || format!("`{field}` must be the path of a file inside the workspace, not `{}`", path.escape_debug());
    let mut clean = PathBuf::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(part) => clean.push(part),
            Component::CurDir => {}
            _ => return Err(refused()),
        }
    }
    if clean.as_os_str().is_empty() || path.ends_with('/') || path.contains('\0') {
        return Err(refused());
    }
    Ok(clean)
}

/// Writes a file of the workspace anew. What a program left in its place goes first: a link is not followed, and what
/// only its owner may write to is no obstacle.
pub(crate) fn write(workspace: &Path, path: &Path, content: &str) -> Result<(), Failure> {
    let target = workspace.join(path);
    if let Some(parent) = target.parent() {
        std::fs::create_dir_all(parent).map_err(|error| failure::file("make the folder of", path, &error))?;
    }
    match std::fs::remove_file(&target) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(failure::file("replace", path, &error));
        }
        _ => {}
    }
    std::fs::write(&target, content).map_err(|error| failure::file("write", path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_is_named_by_its_id() {
        let parse = |text: &str| WorkspaceUri::try_from(text.to_owned());
        for text in ["workspace:a", "workspace:0198c0de-0000-7000-8000-000000000000", "workspace:a:b/../c"] {
            assert_eq!(parse(text).map(String::from), Ok(text.to_owned()));
        }
        let long = format!("workspace:{}", "a".repeat(129));
        for text in ["", "workspace:", "a", "file:///a", "workspace:a b", "workspace:ä", "Workspace:a", long.as_str()]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_file_lies_inside_of_the_workspace() {
        assert_eq!(inside("source", "./a//b.py"), Ok(PathBuf::from("a/b.py")));
        for path in ["", ".", "..", "../a", "a/../b", "/etc/passwd", "a/", "a\0b"] {
            assert!(inside("source", path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_file_takes_the_place_of_a_link_and_of_what_was_there() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("kept"), "kept").expect("a file");
        std::os::unix::fs::symlink("kept", folder.path().join("main")).expect("a link");
        for content in ["one", "two"] {
            write(folder.path(), Path::new("main"), content).expect("written");
            assert_eq!(std::fs::read_to_string(folder.path().join("main")).expect("a file"), content);
        }
        assert_eq!(std::fs::read_to_string(folder.path().join("kept")).expect("a file"), "kept");
    }

    #[test]
    fn a_file_cannot_take_the_place_of_a_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("main")).expect("a folder");
        let failure = write(folder.path(), Path::new("main"), "x").expect_err("a folder");
        assert_eq!((failure.code.as_str(), failure.retryable), ("file_error", false));
        assert!(failure.message.starts_with("cannot replace `main`"), "{}", failure.message);
    }
}
