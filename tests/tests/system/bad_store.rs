//! A store that cannot be used, and one that fills up.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use bulkhead_tests::{Folder, Host, Ran, SmallDisk, eventually, skipped};
use rusqlite::Connection;
use serde_json::json;

/// A store with one task in it.
fn used() -> Folder {
    let folder = Folder::with_guests(&["echo"]);
    let host = folder.host();
    host.client.ended(&host.client.submit(&json!({"kind": "ECHO", "payload": 1, "id": "first"})));
    assert_eq!(host.stop(), Some(0));
    folder
}

#[test]
fn a_corrupt_store_is_named_and_left_alone() {
    let folder = used();
    let database = folder.path().join("bulkhead.db");
    std::fs::write(&database, "this was a database once, and is one no more\n".repeat(100)).expect("it can be written");
    let before = std::fs::read(&database).expect("it can be read");
    folder.bulkhead(&["run"]).failed(2, &["bulkhead.db", "not a usable database", "backup"]);
    assert_eq!(std::fs::read(&database).expect("it can be read"), before);
}

#[test]
fn a_store_of_another_program_is_not_touched() {
    let folder = Folder::fresh();
    let database = folder.path().join("bulkhead.db");
    let theirs = Connection::open(&database).expect("a database");
    theirs.execute_batch("CREATE TABLE theirs (a)").expect("a table");
    drop(theirs);
    folder.bulkhead(&["run"]).failed(2, &["belongs to another program"]);
    let theirs = Connection::open(&database).expect("a database");
    let tables: i64 = theirs.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).expect("a count");
    assert_eq!(tables, 1);
}

#[test]
fn a_store_of_a_newer_host_is_left_to_it() {
    let folder = used();
    let database = Connection::open(folder.path().join("bulkhead.db")).expect("a database");
    database.execute_batch("UPDATE meta SET value = 1007").expect("it can be written");
    drop(database);
    folder.bulkhead(&["run"]).failed(2, &["schema 1007", "newer bulkhead"]);
}

#[test]
fn a_store_in_use_names_the_process_that_holds_it() {
    let folder = Folder::fresh();
    let host = folder.host();
    let holder = host.pid().to_string();
    folder.bulkhead(&["run"]).failed(2, &["in use by another host", &holder, "store.url"]);
    let doctor = folder.bulkhead(&["doctor"]);
    assert!(doctor.good().contains("a host runs here"), "{doctor:#?}");
    assert_eq!(host.client.get("/health/ready").status, 200);
}

fn open(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("its mode can be set");
}

#[test]
fn a_store_that_cannot_be_written_is_named() {
    let folder = used();
    open(folder.path(), 0o555);
    for entry in std::fs::read_dir(folder.path()).expect("a folder").flatten() {
        open(&entry.path(), if entry.path().is_dir() { 0o755 } else { 0o444 });
    }
    let elsewhere = tempfile::tempdir().expect("a folder");
    let ran = Ran::from(by_somebody_else(&folder, elsewhere.path()).arg("run").output().expect("it can be started"));
    open(folder.path(), 0o755);
    ran.failed(2, &["bulkhead.db", "cannot be written", "write access"]);
}

/// The binary, run by a user who is not root, who may write everywhere; from a copy, since the build's own folder may be
/// closed to others.
fn by_somebody_else(folder: &Folder, elsewhere: &Path) -> Command {
    if !rustix::process::getuid().is_root() {
        return folder.command();
    }
    open(elsewhere, 0o755);
    let copy = elsewhere.join("bulkhead");
    std::fs::copy(bulkhead_tests::places::host(), &copy).expect("a copy");
    let mut command = Command::new(&copy);
    command.current_dir(folder.path()).env("BULKHEAD_SERVER__LISTEN", "127.0.0.1:0").uid(65_534).gid(65_534);
    command
}

#[test]
fn a_full_disk_refuses_what_is_new_and_loses_nothing() {
    let folder = Folder::with_guests(&["echo"]);
    let at = folder.path().join("disk");
    let Some(disk) = SmallDisk::mount(&at, 24) else { return skipped("this user may not mount a small disk") };
    folder.write("bulkhead.toml", "[store]\nurl = \"sqlite:disk/bulkhead.db\"\n");
    let host = folder.host();
    // As much as the store may take until it is full, so that its log can be folded once this is given back.
    disk.take(12 << 20);

    // Large tasks that nobody serves, until there is no room.
    let large = "x".repeat(900_000);
    let mut accepted = 0;
    let refusal = loop {
        let answer = host.client.post("/v1/tasks", &json!({"kind": "LATER", "payload": large}));
        match answer.status {
            201 => accepted += 1,
            _ => break answer,
        }
        assert!(accepted < 100, "the disk never fills");
    };
    assert_eq!(refusal.status, 503, "{refusal:?}");
    let detail = refusal.body["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("full") && detail.contains("nothing was stored"), "{refusal:?}");
    assert_eq!(host.client.count("kind=LATER"), accepted);
    let ran = host.cli(&folder, &["submit", "LATER", "--payload", &format!("\"{}\"", &large[..100_000])]);
    if ran.code != Some(0) {
        ran.failed(2, &["full"]);
    }

    // With room again, the same host goes on by itself.
    disk.give_back();
    let id = eventually("tasks are accepted again", || {
        let answer = host.client.post("/v1/tasks", &json!({"kind": "ECHO", "payload": "again"}));
        (answer.status == 201).then(|| answer.body["id"].as_str().unwrap_or_default().to_owned())
    });
    assert_eq!(host.client.ended(&id)["result"], "again");
    assert!(host.client.count("kind=LATER") >= accepted);
    assert_eq!(host.stop(), Some(0));
    let host = Host::start(&folder, &[]).expect("it starts again");
    assert!(host.client.count("kind=LATER") >= accepted);
    drop(host);
    drop(disk);
}
