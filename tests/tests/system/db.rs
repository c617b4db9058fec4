//! A store is checked, copied, and brought up to date.

use bulkhead_tests::Folder;
use rusqlite::Connection;
use serde_json::{Value, json};

#[test]
fn a_copy_made_beside_a_running_host_has_everything_that_was_accepted() {
    let folder = Folder::with_guests(&["echo"]);
    let host = folder.host();
    let ids: Vec<String> =
        (0..20).map(|number| host.client.submit(&json!({ "kind": "ECHO", "payload": number }))).collect();
    host.cli(&folder, &["task", "pause", "--all"]).good();
    let waits = host.client.submit(&json!({ "kind": "ECHO", "payload": "waits" }));
    ids.iter().for_each(|id| assert_eq!(host.client.ended(id)["state"], "succeeded"));
    assert!(folder.bulkhead(&["db", "check"]).good().contains("is whole"));
    folder.bulkhead(&["db", "backup", "copy.db"]).good();
    folder.bulkhead(&["db", "backup", "copy.db"]).failed(2, &["`copy.db` is there already"]);
    folder.bulkhead(&["db", "migrate"]).failed(2, &["in use by another host"]);
    assert_eq!(host.stop(), Some(0));

    folder.write("bulkhead.toml", "[store]\nurl = \"sqlite:copy.db\"\n[server]\nlisten = \"127.0.0.1:0\"\n");
    assert!(folder.bulkhead(&["db", "check"]).good().contains("`copy.db` is whole"));
    assert!(folder.bulkhead(&["db", "migrate"]).good().contains("schema"));
    let host = folder.host();
    ids.iter().zip(0..).for_each(|(id, number)| assert_eq!(host.client.task(id)["result"], number));
    host.cli(&folder, &["task", "resume", "--all"]).good();
    assert_eq!(host.client.ended(&waits)["result"], "waits");
}

#[test]
fn a_store_with_a_task_in_two_places_is_found_out() {
    let folder = Folder::with_guests(&["echo"]);
    let host = folder.host();
    host.client.ended(&host.client.submit(&json!({ "kind": "ECHO" })));
    assert_eq!(host.stop(), Some(0));
    let store = Connection::open(folder.path().join("bulkhead.db")).expect("a database");
    store
        .execute_batch("INSERT INTO paused VALUES (1, 0); INSERT INTO ready VALUES (1, 0, 0, 99, 0);")
        .expect("it can be written");
    drop(store);
    let checked = folder.bulkhead(&["db", "check"]);
    assert!(checked.stdout.contains("task 1 is in "), "{checked:?}");
    assert!(checked.stdout.contains("ready names task 99, which is not there"), "{checked:?}");
    checked.failed(1, &["damaged", "backup"]);
    let checked = folder.bulkhead(&["--output", "json", "db", "check"]);
    let told: Value = serde_json::from_str(&checked.stdout).unwrap_or_else(|error| panic!("{error}: {checked:?}"));
    assert!(told["problems"].as_array().is_some_and(|problems| problems.len() > 1), "{told}");
    checked.failed(1, &["damaged"]);
    folder.write("bulkhead.toml", "[store]\nurl = \"sqlite:nowhere.db\"\n");
    folder.bulkhead(&["db", "check"]).failed(2, &["there is no store `nowhere.db`"]);
}
