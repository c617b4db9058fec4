//! Workspaces: filled, used, fetched, bounded, shared, and gone with their tasks.

use bulkhead_tests::{Folder, Host, eventually, places};
use serde_json::{Value, json};

fn with_render(settings: &str) -> Folder {
    let folder = Folder::with_settings(settings);
    folder.drop_in("render", &std::fs::read(places::handler("handlers", "render")).expect("the component"));
    folder
}

const GRANTED: &str = "[handler.render.grants]\nworkspace = \"read-write\"\n";

/// A template in a folder of its own, as somebody has it who pushes it.
fn template(folder: &Folder) {
    std::fs::create_dir_all(folder.path().join("local/template/deep")).expect("a folder");
    std::fs::create_dir_all(folder.path().join("local/empty")).expect("a folder");
    folder.write("local/template/{{ name }}.txt", "{{ name|upper }}\n");
    folder.write("local/template/deep/ä b.txt", "{{ name }}");
}

fn paths(host: &Host, id: &str) -> Vec<String> {
    let listed = host.client.get(&format!("/v1/workspaces/{id}/files/"));
    assert_eq!(listed.status, 200, "{listed:?}");
    let items = listed.body["items"].as_array().into_iter().flatten();
    items.filter_map(|item| item["path"].as_str()).map(str::to_owned).collect()
}

#[test]
fn a_tree_is_pushed_rendered_listed_and_pulled_and_goes_with_its_task() {
    let settings = "[retention]\nsucceeded = \"1s\"\n[workspace]\nkeep_unused = \"1h\"\n";
    let folder = with_render(&format!("{settings}{GRANTED}"));
    template(&folder);
    let host = folder.host();
    assert!(host.cli(&folder, &["workspace", "push", "mine", "local"]).good().contains("2 files"));
    host.cli(&folder, &["workspace", "push", "unused", "local"]).good();
    host.cli(&folder, &["task", "pause", "--all"]).good();
    let payload = json!({"template_dir": "template", "output_dir": "out", "context": {"name": "ada"}});
    let id = host.client.submit(&json!({"kind": "RENDER", "id": "mine", "payload": payload}));
    host.cli(&folder, &["task", "resume", "--all"]).good();
    let task = host.client.ended(&id);
    assert_eq!(task["state"], "succeeded", "{task:#}");
    host.cli(&folder, &["workspace", "pull", "mine", "back"]).good();
    let text = |path: &str| std::fs::read_to_string(folder.path().join(path)).expect("a file");
    assert_eq!((text("back/out/ada.txt"), text("back/out/deep/ä b.txt")), ("ADA\n".to_owned(), "ada".to_owned()));
    assert!(folder.path().join("back/empty").is_dir());
    let listed = host.cli(&folder, &["workspace", "list", "mine"]);
    assert!(listed.good().contains("out/deep/ä b.txt"), "{listed:?}");

    eventually("the task is removed", || (host.client.get("/v1/tasks/mine").status == 404).then_some(()));
    let place = folder.path().join("workspaces/mine");
    eventually("its workspace is gone", || (!place.exists()).then_some(()));
    assert_eq!(host.client.get("/v1/workspaces/mine/files/").status, 404);
    // Nobody has used this one yet.
    assert_eq!(paths(&host, "unused").len(), 5);
}

#[test]
fn workspaces_of_tasks_that_are_gone_go_and_others_stay() {
    let grants = "[handler.fail.grants]\nworkspace = \"read-write\"\n[handler.echo.grants]\nworkspace = \"read\"\n";
    let folder = Folder::with_settings(&format!("[workspace]\nkeep_unused = \"24s\"\n{grants}"));
    for guest in ["fail", "echo"] {
        folder.drop_in(guest, &bulkhead_test_guests::guest_bytes(guest));
    }
    let host = folder.host();
    for id in ["gone", "kept", "shared"] {
        let id = host.client.submit(&json!({"kind": "FAIL", "id": id, "max_attempts": 1}));
        assert_eq!(host.client.ended(&id)["state"], "dead");
    }
    // One has used the workspace of another, and one waits who is to.
    host.client.submit(&json!({"kind": "ECHO", "id": "user", "workspace": "workspace:kept"}));
    assert_eq!(host.client.ended("user")["state"], "succeeded");
    host.cli(&folder, &["task", "pause", "--kind", "ECHO"]).good();
    host.client.submit(&json!({"kind": "ECHO", "id": "waits", "workspace": "shared"}));
    let root = folder.path().join("workspaces");
    assert!(root.join("gone").is_dir() && !root.join("user").exists());
    assert!(host.cli(&folder, &["dlq", "purge", "--older-than", "0s"]).good().starts_with("3 "));
    eventually("the workspace is gone", || (!root.join("gone").exists()).then_some(()));
    assert!(root.join("shared").is_dir() && root.join("kept").is_dir());
}

#[test]
fn pushes_keep_to_the_bounds_and_to_the_folder() {
    let folder = with_render(&format!("[workspace]\nmax_bytes = \"1KB\"\nmax_files = 4\n{GRANTED}"));
    let host = folder.host();
    let put = |path: &str, bytes: usize| {
        let answer = host.client.put(&format!("/v1/workspaces/w/files/{path}"), &vec![b'x'; bytes]);
        (answer.status, answer.body["detail"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(put("a/b", 900).0, 201);
    let (status, detail) = put("c", 101);
    assert!(status == 413 && detail.contains("workspace.max_bytes"), "{status} {detail}");
    assert_eq!(put("a/b", 1000).0, 201);
    assert_eq!(put("a/b", 1001).0, 413);
    assert_eq!((put("c", 0).0, put("d/", 0).0, put("e", 0).0), (201, 201, 413));
    assert_eq!(paths(&host, "w"), ["a", "a/b", "c", "d"]);
    for (path, status) in [
        ("..", 422),
        ("%2e%2e/x", 422),
        ("a/%2e%2e/%2e%2e/x", 422),
        ("%2Fetc/x", 422),
        ("x%00y", 422),
        ("a", 409),
        ("c/x", 409),
    ] {
        assert_eq!(put(path, 0).0, status, "{path}");
    }
    // What somebody else put there leads nowhere.
    let place = folder.path().join("workspaces/w");
    std::os::unix::fs::symlink(folder.path(), place.join("out")).expect("a link");
    rustix::fs::mknodat(rustix::fs::CWD, place.join("fifo"), rustix::fs::FileType::Fifo, 0o666.into(), 0)
        .expect("a FIFO");
    for path in ["out/bulkhead.toml", "out", "fifo"] {
        assert_eq!(host.client.get(&format!("/v1/workspaces/w/files/{path}")).status, 409, "{path}");
    }
    let one = host.client.get("/v1/workspaces/w/files/?limit=2").body;
    let next = one["next"].as_str().expect("a next page");
    let two = host.client.get(&format!("/v1/workspaces/w/files/?limit=10&cursor={next}")).body;
    assert_eq!((two["items"][0]["path"].as_str(), &two["next"]), (Some("c"), &Value::Null), "{two:#}");
    for path in ["w/files/out", "w/files/fifo", "w/files/a", "w"] {
        assert_eq!(host.client.delete(&format!("/v1/workspaces/{path}")).status, 200, "{path}");
    }
    assert_eq!(host.client.get("/v1/workspaces/w/files/").status, 404);
    assert!(folder.path().join("bulkhead.toml").is_file());
}

#[test]
fn a_child_uses_no_workspace_but_its_parents() {
    let folder = Folder::with_guests(&["names_workspace", "echo"]);
    let host = folder.host();
    let task = |payload: &str| host.client.ended(&host.client.submit(&json!({"kind": "NAMES", "payload": payload})));
    let refused = task("workspace:other");
    assert_eq!(refused["reason"], "invalid_outcome", "{refused:#}");
    assert!(refused["error"]["message"].as_str().is_some_and(|text| text.contains("other")), "{refused:#}");
    assert_eq!(task("own")["state"], "succeeded");
}

#[test]
fn a_retry_finds_what_the_run_before_left_unless_it_is_to_be_fresh() {
    let folder = Folder::with_settings("[handler.leaves_note.grants]\nworkspace = \"read-write\"\n");
    folder.drop_in("leaves_note", &bulkhead_test_guests::guest_bytes("leaves_note"));
    let host = folder.host();
    for (workspace, found) in [(json!({}), "found"), (json!({"fresh": true}), "nothing")] {
        let task = host.client.submit(&json!({"kind": "NOTE", "workspace": workspace}));
        assert_eq!(host.client.ended(&task)["result"], json!(found), "{workspace}");
    }
}

#[test]
fn a_workspace_that_the_host_cannot_open_costs_the_task_no_attempt() {
    let folder = Folder::with_settings("[handler.leaves_note.grants]\nworkspace = \"read-write\"\n");
    folder.drop_in("leaves_note", &bulkhead_test_guests::guest_bytes("leaves_note"));
    std::fs::create_dir_all(folder.path().join("workspaces")).expect("a folder");
    folder.write("workspaces/mine", "no folder");
    let host = folder.host();
    let id = host.client.submit(&json!({"kind": "NOTE", "id": "mine"}));
    eventually("its run is interrupted", || {
        let task = host.client.get(&format!("/v1/tasks/{id}")).body;
        (task["state"] == "ready" && task["reason"] == "interrupted").then_some(())
    });
    std::fs::remove_file(folder.path().join("workspaces/mine")).expect("it goes");
    let task = host.client.ended(&id);
    assert_eq!((&task["state"], task["attempts"].as_array().map(Vec::len)), (&json!("succeeded"), Some(2)), "{task:#}");
}

#[test]
fn what_a_guest_does_with_its_files_is_counted_and_timed_and_charged() {
    let folder = Folder::with_settings("[handler.leaves_note.grants]\nworkspace = \"read-write\"\n");
    folder.drop_in("leaves_note", &bulkhead_test_guests::guest_bytes("leaves_note"));
    let host = folder.host();
    let calls = |result: &str| {
        host.client.metric(&format!("delegate_calls_total{{delegate=\"workspace\",result=\"{result}\"}}"))
    };
    assert_eq!((calls("ok"), calls("denied"), calls("failed")), (0.0, 0.0, 0.0));
    let task = host.client.ended(&host.client.submit(&json!({"kind": "NOTE"})));
    assert_eq!(task["result"], json!("found"), "{task:#}");
    // Two runs look for a note and write one; one of them reads it.
    assert!(calls("ok") >= 5.0 && calls("failed") == 0.0, "{} {}", calls("ok"), calls("failed"));
    let timed = "delegate_duration_seconds_count{delegate=\"workspace\"}";
    assert_eq!(host.client.metric(timed), calls("ok") + calls("denied") + calls("invalid"));
}
