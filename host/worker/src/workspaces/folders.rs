//! Who can reach the folders of workspaces.

use std::fs::{DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use bulkhead_sandbox::workspace::open_folder;

/// Makes a folder, and those above it that are missing, for the host alone.
pub(super) fn make_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Makes the folder of a workspace, where it is not there yet.
///
/// A container runs as somebody else than the host, and is given this folder past those above it: where nobody but the
/// host can reach it otherwise, everybody may write there.
pub(super) fn make_workspace(root: &Path, folder: &Path) -> io::Result<()> {
    make_private(root)?;
    match DirBuilder::new().create(folder) {
        Ok(()) if root.metadata()?.permissions().mode() & 0o077 == 0 => {
            std::fs::set_permissions(folder, Permissions::from_mode(0o777))
        }
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Opens the folder of a workspace; one that a container of the host's own user has shut is opened again, since its run
/// would be tried for ever.
pub(super) fn open_workspace(folder: &Path) -> io::Result<File> {
    match open_folder(folder) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            std::fs::set_permissions(folder, Permissions::from_mode(0o700))?;
            open_folder(folder)
        }
        opened => opened,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(folder: &Path) -> u32 {
        std::fs::metadata(folder).expect("a folder").permissions().mode() & 0o777
    }

    #[test]
    fn a_workspace_is_open_to_all_only_where_nobody_else_can_come_to_it() {
        let place = tempfile::tempdir().expect("a folder");
        let root = place.path().join("deep/root");
        make_workspace(&root, &root.join("a")).expect("made");
        assert_eq!((mode(&root), mode(&root.join("a"))), (0o700, 0o777));
        std::fs::set_permissions(&root, Permissions::from_mode(0o755)).expect("opened");
        make_workspace(&root, &root.join("b")).expect("made");
        assert_eq!(mode(&root.join("b")) & 0o022, 0);
        // What is there stays as it is.
        make_workspace(&root, &root.join("a")).expect("it is there");
        assert_eq!(mode(&root.join("a")), 0o777);
    }
}
