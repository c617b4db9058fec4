//! All that is in a folder goes, and nothing else.

use std::cell::Cell;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::*;

struct World {
    place: tempfile::TempDir,
}

impl World {
    /// A place with a folder `tree`, and a folder `outside` with a file and a folder in it.
    fn new() -> Self {
        let place = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(place.path().join("tree")).expect("a folder");
        std::fs::create_dir_all(place.path().join("outside/inner")).expect("folders");
        std::fs::write(place.path().join("outside/kept"), "kept").expect("a file");
        Self { place }
    }

    fn tree(&self) -> PathBuf {
        self.place.path().join("tree")
    }

    /// Removes the tree in another way.
    fn remove(&self, by: &impl Remover) -> io::Result<()> {
        remove(by, &open_folder(self.place.path()).expect("a folder"), "tree".as_ref())
    }

    fn is_kept(&self) -> bool {
        let outside = self.place.path().join("outside");
        outside.join("inner").is_dir() && std::fs::read(outside.join("kept")).is_ok_and(|kept| kept == b"kept")
    }
}

#[test]
fn a_tree_goes_however_deep_it_is() {
    let world = World::new();
    // Deeper than any path may be long.
    let mut at = File::open(world.tree()).expect("a folder");
    for _ in 0..1000 {
        rustix::fs::mkdirat(&at, "dddd", 0o755.into()).expect("a folder");
        at = openat(&at, "dddd", OFlags::DIRECTORY, 0.into()).expect("a folder").into();
        rustix::fs::symlinkat(world.place.path().join("outside"), &at, "link").expect("a link");
    }
    remove_tree(&world.tree()).expect("it goes");
    assert!(!world.tree().exists() && world.is_kept());
}

#[test]
fn a_file_goes_and_a_link_without_what_it_leads_to() {
    let world = World::new();
    let (file, link) = (world.place.path().join("file"), world.place.path().join("link"));
    std::fs::write(&file, "").expect("a file");
    std::os::unix::fs::symlink("outside", &link).expect("a link");
    remove_tree(&file).expect("it goes");
    remove_tree(&link).expect("it goes");
    assert!(!file.exists() && link.symlink_metadata().is_err() && world.is_kept());
}

#[test]
fn a_name_that_is_no_utf_8_goes_like_any_other() {
    let world = World::new();
    let odd = OsStr::from_bytes(b"\xff");
    std::fs::create_dir_all(world.tree().join(odd).join(odd)).expect("folders");
    std::fs::write(world.tree().join(odd).join("file"), "").expect("a file");
    remove_tree(&world.tree()).expect("it goes");
    assert!(!world.tree().exists());
}

/// Beside somebody who puts a link in place of each folder, as late as can be: when it was found to be a folder, and is
/// about to be opened.
struct Swapped {
    outside: PathBuf,
    swapped: Cell<u32>,
}

impl Remover for Swapped {
    fn unlink(&self, folder: &File, name: &OsStr) -> io::Result<()> {
        Uncounted.unlink(folder, name)
    }

    fn unlink_folder(&self, folder: &File, name: &OsStr) -> io::Result<()> {
        Uncounted.unlink_folder(folder, name)
    }

    fn enter(&self, folder: &File, name: &OsStr) -> io::Result<Arc<File>> {
        if name != "tree" && self.swapped.get() < 10 {
            self.swapped.set(self.swapped.get() + 1);
            let aside = format!("aside-{}", self.swapped.get());
            renameat(folder, name, folder, aside).expect("moved");
            rustix::fs::symlinkat(&self.outside, folder, name).expect("a link");
        }
        Uncounted.enter(folder, name)
    }

    fn lift(&self, folder: &File, name: &OsStr, to: &File, new: &OsStr) -> io::Result<()> {
        Uncounted.lift(folder, name, to, new)
    }
}

#[test]
fn a_link_put_in_place_of_a_folder_leads_to_nothing_that_goes() {
    let world = World::new();
    std::fs::create_dir_all(world.tree().join("a/b/c")).expect("folders");
    std::fs::write(world.tree().join("a/b/file"), "").expect("a file");
    let swapped = Swapped { outside: world.place.path().join("outside"), swapped: Cell::default() };
    world.remove(&swapped).expect("it goes");
    assert_eq!(swapped.swapped.get(), 10);
    assert!(!world.tree().exists() && world.is_kept());
}

/// Beside somebody who makes another file for each that is removed.
struct Refilled;

impl Remover for Refilled {
    fn unlink(&self, folder: &File, name: &OsStr) -> io::Result<()> {
        Uncounted.unlink(folder, name)?;
        let flags = OFlags::CREATE | OFlags::WRONLY;
        openat(folder, format!("{:016x}", fastrand::u64(..)), flags, 0o644.into())?;
        Ok(())
    }

    fn unlink_folder(&self, folder: &File, name: &OsStr) -> io::Result<()> {
        Uncounted.unlink_folder(folder, name)
    }

    fn enter(&self, folder: &File, name: &OsStr) -> io::Result<Arc<File>> {
        Uncounted.enter(folder, name)
    }

    fn lift(&self, folder: &File, name: &OsStr, to: &File, new: &OsStr) -> io::Result<()> {
        Uncounted.lift(folder, name, to, new)
    }
}

#[test]
fn a_folder_that_is_filled_all_the_time_is_given_up() {
    let world = World::new();
    std::fs::create_dir(world.tree().join("within")).expect("a folder");
    std::fs::write(world.tree().join("within/file"), "").expect("a file");
    let top = open_folder(&world.tree()).expect("a folder");
    let error = empty(&Refilled, &top, 1000).expect_err("it is never empty");
    assert_eq!(error.kind(), io::ErrorKind::DirectoryNotEmpty);
}

#[test]
fn a_folder_that_was_shut_is_opened_to_the_host_before_it_goes() {
    use std::os::unix::fs::PermissionsExt;

    let world = World::new();
    let shut = world.tree().join("shut");
    std::fs::create_dir(&shut).expect("a folder");
    std::fs::set_permissions(&shut, std::fs::Permissions::from_mode(0o000)).expect("it is shut");
    Uncounted.enter(&open_folder(&world.tree()).expect("a folder"), "shut".as_ref()).expect("it is entered");
    assert_eq!(shut.metadata().expect("it is there").permissions().mode() & 0o777, 0o700);
    world.remove(&Uncounted).expect("it goes");
}
