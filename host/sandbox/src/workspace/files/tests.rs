//! What is counted is what is there, whatever is done.

use std::sync::atomic::AtomicUsize;

use bulkhead_core::Size;

use super::*;
use crate::workspace::{Keeper, open_folder};

struct World {
    folder: tempfile::TempDir,
    usage: Arc<WorkspaceUsage>,
    room: WorkspaceRoom,
    root: File,
}

fn world(bytes: u64, files: u64) -> World {
    let folder = tempfile::tempdir().unwrap();
    let usage = Arc::new(WorkspaceUsage::default());
    let root = open_folder(folder.path()).unwrap();
    usage.count(&root, files);
    let bounds = WorkspaceBounds { bytes: Size::from_bytes(bytes), files };
    World { folder, room: WorkspaceRoom::new(Arc::clone(&usage), bounds), usage, root }
}

const MAKE: Opening =
    Opening { read: true, write: true, create: true, exclusive: false, truncate: false, follow: true };

impl World {
    fn make(&self, name: &str) -> io::Result<Arc<File>> {
        self.room.open(&self.root, name.as_ref(), MAKE)
    }

    /// The count must be what a count of the folder gives.
    fn holds(&self, bytes: u64, files: u64) {
        assert_eq!(self.usage.now(), (bytes, files));
        let anew = WorkspaceUsage::default();
        anew.count(&self.root, 1000);
        assert_eq!(anew.now(), (bytes, files));
    }
}

#[test]
fn holes_count_as_the_bytes_that_they_appear_to_be() {
    let world = world(1000, 10);
    let file = world.make("a").unwrap();
    assert!(is_full(&world.room.write_all_at(&file, b"x", 1000).unwrap_err()));
    assert!(is_full(&world.room.set_len(&file, 1001).unwrap_err()));
    assert!(is_full(&world.room.write_all_at(&file, b"x", u64::MAX).unwrap_err()));
    world.room.write_all_at(&file, b"x", 999).unwrap();
    world.holds(1000, 1);
    world.room.write_all_at(&file, b"yy", 10).unwrap();
    assert!(is_full(&world.room.append_all(&file, b"x").unwrap_err()));
    world.room.set_len(&file, 10).unwrap();
    world.room.append_all(&file, b"tail").unwrap();
    world.holds(14, 1);
}

#[test]
fn what_is_removed_replaced_or_emptied_makes_room() {
    let world = world(100, 3);
    for name in ["a", "b"] {
        world.room.write_all_at(&world.make(name).unwrap(), &[1; 50], 0).unwrap();
    }
    world.room.create_dir(&world.root, "c".as_ref()).unwrap();
    assert!(is_full(&world.make("d").unwrap_err()));
    assert!(is_full(&world.room.symlink("a".as_ref(), &world.root, "d".as_ref()).unwrap_err()));
    world.holds(100, 3);
    world.room.rename(&world.root, "a".as_ref(), &world.root, "b".as_ref()).unwrap();
    world.holds(50, 2);
    drop(world.room.open(&world.root, "b".as_ref(), Opening { truncate: true, ..MAKE }).unwrap());
    world.holds(0, 2);
    world.room.remove_file(&world.root, "b".as_ref()).unwrap();
    world.room.remove_dir(&world.root, "c".as_ref()).unwrap();
    world.holds(0, 0);
}

#[test]
fn a_file_without_a_name_holds_its_bytes_for_as_long_as_it_is_open() {
    let world = world(100, 3);
    let (first, second) = (world.make("a").unwrap(), world.make("a").unwrap());
    world.room.write_all_at(&first, &[1; 100], 0).unwrap();
    drop(first);
    world.room.remove_file(&world.root, "a".as_ref()).unwrap();
    assert_eq!(world.usage.now(), (100, 0));
    assert!(is_full(&world.room.append_all(&second, b"x").unwrap_err()));
}

#[test]
fn more_than_may_be_there_is_not_counted_to_its_end_and_nothing_is_added() {
    let world = world(100, 3);
    for number in 0..5 {
        std::fs::write(world.folder.path().join(number.to_string()), "x").unwrap();
    }
    let usage = Arc::new(WorkspaceUsage::default());
    usage.count(&world.root, 3);
    let room = WorkspaceRoom::new(Arc::clone(&usage), world.room.bounds());
    let file = room.open(&world.root, "1".as_ref(), Opening { write: true, ..Opening::default() }).unwrap();
    assert!(is_full(&room.append_all(&file, b"x").unwrap_err()));
    room.write_all_at(&file, b"y", 0).unwrap();
    assert!(room.has_refused());
}

#[test]
fn what_is_neither_file_nor_folder_is_refused_at_once() {
    let world = world(100, 10);
    let place = world.folder.path();
    rustix::fs::mknodat(rustix::fs::CWD, place.join("fifo"), rustix::fs::FileType::Fifo, 0o666.into(), 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(place.join("socket")).unwrap();
    std::os::unix::fs::symlink("fifo", place.join("link")).unwrap();
    for name in ["fifo", "socket", "link"] {
        for how in [Opening { follow: true, ..Opening::default() }, Opening { write: true, follow: true, ..MAKE }] {
            let error = world.room.open(&world.root, name.as_ref(), how).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(Errno::PERM.raw_os_error()), "{name}");
        }
    }
}

#[test]
fn no_link_leads_out() {
    let world = world(100, 10);
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "x").unwrap();
    std::os::unix::fs::symlink(outside.path(), world.folder.path().join("out")).unwrap();
    assert!(world.room.open(&world.root, "out/secret".as_ref(), Opening::default()).is_err());
    assert!(world.make("out/made").is_err());
    assert!(world.room.create_dir(&world.root, "out/made".as_ref()).is_err());
    assert!(world.room.remove_file(&world.root, "out/secret".as_ref()).is_err());
    assert!(world.room.symlink("/etc".as_ref(), &world.root, "etc".as_ref()).is_err());
    assert!(outside.path().join("secret").is_file() && !outside.path().join("made").exists());
}

/// Agrees or not, and counts how often it is asked.
#[derive(Debug, Default)]
struct Gate {
    is_open: AtomicBool,
    asked: AtomicUsize,
}

impl Keeper for Gate {
    fn keep(&self) -> io::Result<()> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.is_open.load(Ordering::Relaxed) { Ok(()) } else { Err(Errno::IO.into()) }
    }
}

#[test]
fn nothing_is_put_into_a_workspace_before_its_keeper_agrees_and_then_it_is_not_asked_again() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = open_folder(place.path()).expect("a folder");
    let gate = Arc::new(Gate::default());
    let usage = Arc::new(WorkspaceUsage::kept_by(Arc::clone(&gate) as Arc<dyn Keeper>));
    usage.count(&folder, 10);
    let room = WorkspaceRoom::new(usage, WorkspaceBounds::default());
    let makes = Opening { write: true, create: true, ..Opening::default() };
    assert!(room.open(&folder, "a".as_ref(), Opening::default()).is_err());
    assert_eq!(gate.asked.load(Ordering::Relaxed), 0);
    assert!(room.open(&folder, "a".as_ref(), makes).is_err());
    assert!(room.create_dir(&folder, "b".as_ref()).is_err());
    assert!(room.symlink("c".as_ref(), &folder, "d".as_ref()).is_err());
    assert_eq!((gate.asked.load(Ordering::Relaxed), room.holds(), room.has_refused()), (3, (0, 0), false));
    gate.is_open.store(true, Ordering::Relaxed);
    let file = room.open(&folder, "a".as_ref(), makes).expect("made");
    room.write_all_at(&file, b"text", 0).expect("written");
    assert_eq!((gate.asked.load(Ordering::Relaxed), room.holds()), (4, (4, 1)));
}
