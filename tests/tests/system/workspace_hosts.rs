//! Several hosts on one PostgreSQL database: a task runs where its workspace is.

use std::collections::BTreeSet;

use bulkhead_tests::{Database, Folder, Host, eventually, skipped};
use serde_json::{Value, json};

const GUESTS: [&str; 2] = ["leaves_note", "early_folders"];
const GRANTED: &str = "[handler.leaves_note.grants]\nworkspace = \"read-write\"\n\
    [handler.early_folders.grants]\nworkspace = \"read\"\n";

/// What `early_folders` answers that finds the note, or finds none.
const NOTE: &str = "here";
const NOTHING: &str = "";

struct Hosts {
    database: Database,
    a: Folder,
    b: Folder,
}

/// Folders of two hosts on one database.
fn hosts(settings: &str) -> Option<Hosts> {
    let Some(database) = Database::make() else {
        skipped("there is no PostgreSQL");
        return None;
    };
    let [a, b] = ["host-a", "host-b"]
        .map(|name| Folder::on_server(&database.url, name, &GUESTS, &format!("{settings}{GRANTED}")));
    Some(Hosts { database, a, b })
}

/// The hosts on which a task's attempts ran.
fn ran_on(task: &Value) -> BTreeSet<String> {
    let attempts = task["attempts"].as_array().into_iter().flatten();
    attempts.filter_map(|attempt| attempt["worker"].as_str()).map(str::to_owned).collect()
}

fn read(host: &Host, more: &Value) -> String {
    let mut task = json!({ "kind": "EARLY_FOLDERS", "payload": null });
    task.as_object_mut().expect("a table").extend(more.as_object().expect("a table").clone());
    host.client.submit(&task)
}

fn push(host: &Host, id: &str) -> u16 {
    host.client.put(&format!("/v1/workspaces/{id}/files/note"), NOTE.as_bytes()).status
}

#[test]
fn every_attempt_of_a_task_runs_where_the_first_left_something() {
    let Some(Hosts { a, b, database: _database }) = hosts("") else { return };
    let (one, two) = (a.host(), b.host());
    let notes: Vec<Value> = (0..40).map(|_| json!({ "kind": "NOTE" })).collect();
    for id in one.client.submit_all(&notes) {
        let task = two.client.ended(&id);
        assert_eq!((&task["result"], &task["requires"]), (&json!("found"), &json!([])), "{task:#}");
        assert_eq!((ran_on(&task).len(), task["attempts"].as_array().map(Vec::len)), (1, Some(2)), "{task:#}");
    }
}

#[test]
fn who_names_a_workspace_runs_where_that_is_and_who_puts_nothing_there_runs_anywhere() {
    let Some(Hosts { a, b, database }) = hosts("") else { return };
    let (one, two) = (a.host(), b.host());
    for _ in 0..3 {
        let left = one.client.submit(&json!({ "kind": "NOTE", "max_attempts": 1 }));
        let host = ran_on(&one.client.ended(&left));
        for at in [&one, &two, &one, &two, &one, &two] {
            let task = at.client.ended(&read(at, &json!({ "workspace": left })));
            assert_eq!(task["result"], json!([NOTHING, NOTE]), "{task:#}");
            assert_eq!(ran_on(&task), host, "{task:#}");
        }
    }
    let empty = one.client.submit(&json!({ "kind": "EARLY_FOLDERS" }));
    assert_eq!(two.client.ended(&empty)["result"], json!([NOTHING, NOTHING]));
    assert_eq!(database.ask("SELECT count(*) FROM workspaces"), [["3"]]);
}

#[test]
fn what_was_pushed_to_one_host_is_found_there_after_it_was_started_again_and_nowhere_else() {
    let Some(Hosts { a, b, database: _database }) = hosts("") else { return };
    let (one, two) = (a.host(), b.host());
    assert_eq!(push(&one, "mine"), 201);
    for answer in [
        two.client.put("/v1/workspaces/mine/files/other", b"x"),
        two.client.get("/v1/workspaces/mine/files/"),
        two.client.delete("/v1/workspaces/mine"),
    ] {
        let detail = answer.body["detail"].as_str().unwrap_or_default().to_owned();
        assert!(answer.status == 409 && detail.contains("host-a") && detail.contains("release"), "{answer:?}");
    }
    assert_eq!(one.stop(), Some(0));
    let id = read(&two, &json!({ "id": "mine" }));
    eventually("it is sent to the host that has it", || {
        (two.client.task(&id)["reason"] == "workspace_host").then_some(())
    });
    let one = a.host();
    let task = two.client.ended(&id);
    assert_eq!((&task["result"], ran_on(&task)), (&json!([NOTHING, NOTE]), BTreeSet::from(["host-a".to_owned()])));
    // What is removed binds nobody any more.
    assert_eq!(one.client.delete("/v1/workspaces/mine").status, 200);
    assert_eq!(push(&two, "mine"), 201);
}

#[test]
fn what_a_host_had_that_is_gone_goes_on_elsewhere_once_an_operator_says_so() {
    let Some(Hosts { a, b, database }) = hosts("") else { return };
    let (one, two) = (a.host(), b.host());
    assert_eq!(push(&one, "mine"), 201);
    let refused = two.cli(&b, &["workspace", "release", "host-a"]);
    assert!(refused.code == Some(2) && refused.stderr.contains("stop it first"), "{refused:?}");
    one.kill();
    let id = read(&two, &json!({ "id": "mine" }));
    eventually("it is sent to the host that has it", || {
        (two.client.task(&id)["reason"] == "workspace_host").then_some(())
    });
    // As if time had passed.
    database.ask("UPDATE homes SET seen_at = seen_at - 60000");
    assert!(two.cli(&b, &["workspace", "hosts"]).good().contains("host-a"));
    assert!(two.cli(&b, &["workspace", "release", "host-a"]).good().starts_with("1 "));
    let task = two.client.ended(&id);
    assert_eq!((&task["result"], ran_on(&task)), (&json!([NOTHING, NOTHING]), BTreeSet::from(["host-b".to_owned()])));
    // A host that comes back begins anew, with what nobody else has begun meanwhile.
    let one = a.host();
    eventually("it has another name", || {
        (push(&one, "other") == 201).then_some(())?;
        (database.ask("SELECT count(*) FROM homes WHERE released_at IS NULL") == [["1"]]).then_some(())
    });
    assert_eq!(push(&two, "other"), 409);
}

#[test]
fn hosts_that_see_the_same_folder_bind_nothing() {
    let root = Folder::empty();
    let settings = format!("[workspace]\nshared = true\nroot = \"{}\"\n", root.path().join("all").display());
    let Some(Hosts { a, b, database }) = hosts(&settings) else { return };
    let one = a.host();
    let left = one.client.submit(&json!({ "kind": "NOTE", "max_attempts": 1 }));
    assert_eq!(one.client.ended(&left)["state"], "dead");
    one.kill();
    let two = b.host();
    let task = two.client.ended(&read(&two, &json!({ "workspace": left })));
    assert_eq!((&task["result"], ran_on(&task)), (&json!([NOTHING, NOTE]), BTreeSet::from(["host-b".to_owned()])));
    assert_eq!(database.ask("SELECT count(*) FROM homes"), [["0"]]);
}

#[test]
fn what_goes_with_its_task_binds_nobody_any_more() {
    let Some(Hosts { a, b, database }) = hosts("workspace.keep_unused = \"24s\"\n") else { return };
    let (one, two) = (a.host(), b.host());
    for id in ["gone", "kept"] {
        one.client.submit(&json!({ "kind": "NOTE", "id": id, "max_attempts": if id == "gone" { 1 } else { 3 } }));
        one.client.ended(id);
    }
    assert_eq!(database.ask("SELECT count(*) FROM workspaces"), [["2"]]);
    assert!(two.cli(&b, &["dlq", "purge", "--older-than", "0s"]).good().starts_with("1 "));
    eventually("its workspace is gone", || (database.ask("SELECT id FROM workspaces") == [["kept"]]).then_some(()));
}

#[test]
fn what_others_than_the_guest_may_write_to_is_bound_when_it_is_opened() {
    let granted = "[handler.early_folders.grants]\nworkspace = \"read-write\"\n";
    let Some(database) = Database::make() else { return skipped("there is no PostgreSQL") };
    for (more, bound) in [("", "0"), ("docker = { images = [\"none:1\"] }\n", "1")] {
        let folder = Folder::on_server(&database.url, "host-a", &["early_folders"], &format!("{granted}{more}"));
        let host = folder.host();
        assert_eq!(host.client.ended(&read(&host, &json!({})))["state"], "succeeded");
        assert_eq!(database.ask("SELECT count(*) FROM workspaces"), [[bound]]);
        host.stop();
    }
}
