//! The folders that tasks share with the host.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use bulkhead_core::TaskId;
use bulkhead_sandbox::{Workspace, WorkspaceAccess};

/// The workspace of a task, made where it is not there yet; none where it cannot be made, which the guest is told as
/// a folder that is not there.
pub(crate) fn open_workspace(root: &Path, task: &TaskId, access: WorkspaceAccess) -> Option<Workspace> {
    let folder = folder_of(root, task);
    match std::fs::create_dir_all(&folder) {
        Ok(()) => Some(Workspace { folder, access }),
        Err(error) => {
            tracing::warn!(folder = %folder.display(), %error, task = task.as_str(), "the workspace cannot be made");
            None
        }
    }
}

/// The folder of a task: its id, with everything but letters, digits, `-` and `_` written as `%` and two hexadecimal
/// digits, so that no id can name a folder outside the root.
fn folder_of(root: &Path, task: &TaskId) -> PathBuf {
    let mut name = String::with_capacity(task.as_str().len());
    for byte in task.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            name.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(name, "%{byte:02x}");
        }
    }
    root.join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_names_a_folder_outside_the_root() {
        for (id, name) in [("a-1", "a-1"), ("..", "%2e%2e"), ("/etc", "%2fetc"), ("a/../b", "a%2f%2e%2e%2fb")] {
            let id = TaskId::parse(id).expect("an id");
            assert_eq!(folder_of(Path::new("/root"), &id), Path::new("/root").join(name));
        }
    }
}
