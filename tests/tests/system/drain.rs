//! SIGTERM under load.

use bulkhead_tests::{Folder, eventually};
use serde_json::{Value, json};

#[test]
fn a_drained_host_charges_nothing_and_loses_nothing() {
    let folder = Folder::with_guests(&["nap", "echo"]);
    folder.write("bulkhead.toml", "[worker]\ndrain_timeout = \"1s\"\nmax_concurrent = 16\n");
    let host = folder.host();
    // Some that end within the time to drain, some that don't, and many that wait.
    let long: Vec<Value> = (0..4).map(|_| json!({"kind": "NAP", "payload": 20_000, "timeout": "60s"})).collect();
    let short: Vec<Value> = (0..4).map(|_| json!({"kind": "NAP", "payload": 500})).collect();
    let many: Vec<Value> = (0..3000).map(|number| json!({"kind": "ECHO", "payload": number})).collect();
    let long = host.client.submit_all(&long);
    let short = host.client.submit_all(&short);
    eventually("the long ones have begun", || {
        long.iter().chain(&short).all(|id| host.client.task(id)["state"] == "running").then_some(())
    });
    let many = host.client.submit_all(&many);
    assert_eq!(host.stop(), Some(0));

    folder.write("bulkhead.toml", "");
    let host = folder.host();
    for id in &long {
        let task = host.client.task(id);
        // Nothing is charged: when it runs again, that is its first attempt.
        assert_eq!(task["attempts"], json!([]), "{task:#}");
        let again =
            eventually("it runs again", || Some(host.client.task(id)).filter(|task| task["state"] == "running"));
        assert_eq!(again["attempt"], 1, "{again:#}");
        host.client.post(&format!("/v1/tasks/{id}/cancel"), &json!({}));
    }
    for (number, id) in many.iter().enumerate() {
        let task = host.client.ended(id);
        assert_eq!(
            (&task["state"], &task["result"], &task["attempt"]),
            (&json!("succeeded"), &json!(number), &json!(1))
        );
        assert_eq!(task["attempts"].as_array().map(Vec::len), Some(1), "{task:#}");
    }
    for id in &short {
        assert_eq!(host.client.ended(id)["attempts"].as_array().map(Vec::len), Some(1));
    }
    assert_eq!(host.stop(), Some(0));
}
