//! A worker is told what to do.

use bulkhead_tests::{Folder, eventually};
use serde_json::json;

#[test]
fn a_worker_is_paused_resumed_and_drained() {
    let folder = Folder::with_settings("[worker]\nname = \"first\"\n");
    folder.drop_in("echo", &bulkhead_test_guests::guest_bytes("echo"));
    let host = folder.host();
    let cli = |arguments: &[&str]| host.cli(&folder, arguments).good().to_owned();
    let submit = || host.client.submit(&json!({ "kind": "ECHO" }));
    assert!(cli(&["worker", "list"]).contains("running"));
    assert!(cli(&["worker", "pause", "first"]).contains("paused"));
    let id = submit();
    assert_eq!(host.client.get(&format!("/v1/tasks/{id}?wait=200ms")).body["state"], "ready");
    assert!(cli(&["worker", "resume", "first"]).contains("running"));
    assert_eq!(host.client.ended(&id)["state"], "succeeded");
    host.cli(&folder, &["worker", "pause", "second"]).failed(1, &["there is no worker `second`", "`first`"]);

    assert!(cli(&["worker", "drain", "first"]).contains("draining"));
    eventually("it has drained", || cli(&["worker", "list"]).contains("drained").then_some(()));
    let id = submit();
    assert_eq!(host.client.get(&format!("/v1/tasks/{id}?wait=200ms")).body["state"], "ready");
    host.cli(&folder, &["worker", "resume", "first"]).failed(1, &["start its host anew"]);
}
