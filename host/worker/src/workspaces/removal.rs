//! Removing a folder with all that is in it, however deep.

use std::io;
use std::path::Path;

/// Removes a folder, or a file.
///
/// Folders inside of folders come up to the top first, so that neither the stack nor open files grow with the depth.
pub(super) fn remove_tree(tree: &Path) -> io::Result<()> {
    if !tree.symlink_metadata()?.is_dir() {
        return std::fs::remove_file(tree);
    }
    let mut number = 0_u64;
    loop {
        let mut is_empty = true;
        for entry in std::fs::read_dir(tree)? {
            let entry = entry?;
            is_empty = false;
            if !entry.file_type()?.is_dir() {
                std::fs::remove_file(entry.path())?;
                continue;
            }
            for within in std::fs::read_dir(entry.path())? {
                let within = within?;
                if within.file_type()?.is_dir() {
                    while tree.join(format!(".up-{number}")).symlink_metadata().is_ok() {
                        number += 1;
                    }
                    std::fs::rename(within.path(), tree.join(format!(".up-{number}")))?;
                } else {
                    std::fs::remove_file(within.path())?;
                }
            }
            std::fs::remove_dir(entry.path())?;
        }
        if is_empty {
            return std::fs::remove_dir(tree);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_goes_however_deep_it_is() {
        let place = tempfile::tempdir().expect("a folder");
        let tree = place.path().join("tree");
        std::fs::create_dir(&tree).expect("a folder");
        // Deeper than any path may be long.
        let mut at = std::fs::File::open(&tree).expect("a folder");
        for _ in 0..3000 {
            rustix::fs::mkdirat(&at, "dddd", 0o755.into()).expect("a folder");
            let flags = rustix::fs::OFlags::DIRECTORY;
            at = rustix::fs::openat(&at, "dddd", flags, 0.into()).expect("a folder").into();
            rustix::fs::symlinkat("/etc", &at, "link").expect("a link");
        }
        remove_tree(&tree).expect("it goes");
        assert!(!tree.exists() && Path::new("/etc").is_dir());
    }
}
