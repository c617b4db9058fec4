//! The name of a folder of workspaces, kept in it: who has the folder has what is in it.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bulkhead_core::Home;

use super::folders::make_private;
use super::notes::FOLDER;

fn place(root: &Path) -> PathBuf {
    root.join(FOLDER).join("home")
}

/// The name; none where the folder has none yet.
pub(super) fn read(root: &Path) -> io::Result<Option<Home>> {
    let place = place(root);
    let text = match std::fs::read_to_string(&place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read?,
    };
    let damaged = |error| {
        let place = place.display();
        let told = format!(
            "`{place}` is damaged ({error}): restore it, or remove it and release this host (bulkhead workspace release)"
        );
        io::Error::new(io::ErrorKind::InvalidData, told)
    };
    Home::parse(text.trim_end()).map(Some).map_err(damaged)
}

/// The name, thrown where the folder has none yet; durable before anybody is told of it.
pub(super) fn read_or_make(root: &Path) -> io::Result<Home> {
    let folder = root.join(FOLDER);
    make_private(&folder)?;
    if let Some(home) = read(root)? {
        return Ok(home);
    }
    let thrown = format!("{:016x}", fastrand::u64(..));
    let beside = folder.join(format!("home-{thrown}"));
    let mut file = File::create_new(&beside)?;
    file.write_all(thrown.as_bytes())?;
    file.sync_all()?;
    // Another host of the same folder may be quicker: its name is the folder's then.
    let linked = std::fs::hard_link(&beside, place(root));
    std::fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => File::open(&folder)?.sync_all()?,
    }
    read(root)?.ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// Forgets the name, which stands for nothing any more: the next one is another.
pub(super) fn forget(root: &Path) -> io::Result<()> {
    match std::fs::remove_file(place(root)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_name_until_that_is_forgotten() {
        let root = tempfile::tempdir().expect("a folder");
        assert_eq!(read(root.path()).expect("none"), None);
        let home = read_or_make(root.path()).expect("a name");
        assert_eq!(read(root.path()).expect("read"), Some(home.clone()));
        assert_eq!(read_or_make(root.path()).expect("read"), home);
        forget(root.path()).expect("forgotten");
        forget(root.path()).expect("forgotten already");
        assert_ne!(read_or_make(root.path()).expect("another name"), home);
    }

    #[test]
    fn hosts_that_begin_in_one_folder_at_once_agree_on_its_name() {
        let root = tempfile::tempdir().expect("a folder");
        let homes: Vec<Home> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| read_or_make(root.path()).expect("a name"))).collect();
            threads.into_iter().map(|thread| thread.join().expect("it ends")).collect()
        });
        assert!(homes.iter().all(|home| *home == homes[0]), "{homes:?}");
    }

    #[test]
    fn a_name_that_cannot_be_read_is_not_replaced() {
        let root = tempfile::tempdir().expect("a folder");
        read_or_make(root.path()).expect("a name");
        std::fs::write(place(root.path()), "nonsense").expect("written");
        let error = read_or_make(root.path()).expect_err("damaged").to_string();
        assert!(error.contains("home") && error.contains("nonsense") && error.contains("release"), "{error}");
    }
}
