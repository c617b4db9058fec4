//! Handlers that appear, change, break and go while the host runs.

use bulkhead_test_guests::guest_bytes;
use bulkhead_tests::{Client, Folder, eventually, variant_of};
use serde_json::{Value, json};

/// Waits until the file's version is the live one.
fn live(client: &Client, name: &str, before: &Value) -> Value {
    eventually(format!("another version of {name} is live"), || {
        let handler = client.handler(name)?;
        (handler["status"] == "live" && handler["digest"] != *before).then(|| handler["digest"].clone())
    })
}

fn digests(task: &Value) -> &Value {
    &task["attempts"][0]["digests"]
}

#[test]
fn a_changed_handler_serves_the_next_task_while_a_long_run_ends_on_the_old_one() {
    let folder = Folder::fresh();
    let component = guest_bytes("nap");
    folder.drop_in("nap", &component);
    let host = folder.host();
    let old = live(&host.client, "nap", &Value::Null);
    let long = host.client.submit(&json!({"kind": "NAP", "payload": 4000}));
    eventually("the long run has begun", || (host.client.task(&long)["state"] == "running").then_some(()));

    folder.drop_in("nap", &variant_of(&component, "second"));
    let new = live(&host.client, "nap", &old);
    let next = host.client.ended(&host.client.submit(&json!({"kind": "NAP", "payload": 1})));
    assert_eq!(digests(&next), &json!([new]));
    assert_eq!(host.client.task(&long)["state"], "running", "the long run was not to end so soon");
    let long = host.client.ended(&long);
    assert_eq!((&long["state"], digests(&long)), (&json!("succeeded"), &json!([old])));
}

#[test]
fn a_broken_file_leaves_the_old_version_live_and_shows_its_error() {
    let folder = Folder::with_guests(&["echo"]);
    let host = folder.host();
    let old = live(&host.client, "echo", &Value::Null);
    folder.drop_in("echo", b"\0asm but not for long");
    let handler = eventually("the error is shown", || {
        let handler = host.client.handler("echo")?;
        (handler["status"] == "broken").then_some(handler)
    });
    assert_eq!(handler["digest"], old);
    assert!(handler["reason"].as_str().is_some_and(|reason| reason.contains("not a valid component")), "{handler}");
    assert!(host.client.metric("handler_load_errors_total{handler=\"echo\"}") >= 1.0);
    let listed = host.cli(&folder, &["handler", "list"]);
    assert!(listed.good().contains("echo"), "{listed:#?}");
    let task = host.client.ended(&host.client.submit(&json!({"kind": "ECHO", "payload": [1]})));
    assert_eq!((&task["result"], digests(&task)), (&json!([1]), &json!([old])));

    // Put right again, it is live again, and the error is gone.
    folder.drop_in("echo", &variant_of(&guest_bytes("echo"), "mended"));
    live(&host.client, "echo", &old);
    assert!(host.client.handler("echo").is_some_and(|handler| handler["reason"].is_null()));
}

#[test]
fn tasks_of_a_removed_handler_wait_until_it_is_back() {
    let folder = Folder::with_guests(&["echo"]);
    let host = folder.host();
    live(&host.client, "echo", &Value::Null);
    let file = folder.path().join("handlers/echo.wasm");
    std::fs::remove_file(&file).expect("it can be removed");
    eventually("the handler has gone", || {
        host.client.handler("echo").is_none_or(|handler| handler["status"] != "live").then_some(())
    });
    let task = host.client.submit(&json!({"kind": "ECHO", "payload": "here"}));
    let waited = host.client.get(&format!("/v1/tasks/{task}?wait=300ms")).body;
    assert_eq!((&waited["state"], waited["attempts"].as_array().map(Vec::len)), (&json!("ready"), Some(0)));
    folder.drop_in("echo", &guest_bytes("echo"));
    assert_eq!(host.client.ended(&task)["result"], "here");
}

/// The short form of `cargo xtask torture -- swaps`.
#[test]
fn no_task_notices_swaps_under_full_load() {
    let swapped = bulkhead_tests::swaps::swaps(20_261_121, 40).expect("a host");
    swapped.check().unwrap_or_else(|error| panic!("{error:#}\n{swapped}"));
}

#[test]
fn a_task_that_all_have_declined_is_parked_again_after_another_handler_changed() {
    let folder = Folder::with_guests(&["skip", "nap"]);
    let host = folder.host();
    let parked = |id: &str| {
        eventually("it is parked", || (host.client.task(id)["reason"] == "no_capable_worker").then_some(()));
    };
    let first = host.client.submit(&json!({"kind": "SKIP", "payload": 1}));
    parked(&first);
    let old = live(&host.client, "nap", &Value::Null);
    folder.drop_in("nap", &variant_of(&guest_bytes("nap"), "second"));
    live(&host.client, "nap", &old);
    // What comes after the change is parked after what the change has let go.
    parked(&host.client.submit(&json!({"kind": "SKIP", "payload": 2})));
    parked(&first);
    let runs = host.client.metric("handler_duration_seconds_count{handler=\"skip\",status=\"skip\"}");
    assert_eq!(runs, 2.0, "each is asked about once by the same version");
}
