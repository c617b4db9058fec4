//! Hosts behind PgBouncer in transaction mode: no session is anybody's own.

use bulkhead_tests::kills::{attempts_of, effects_of};
use bulkhead_tests::{Database, Folder, eventually, skipped};
use serde_json::{Value, json};

#[test]
fn hosts_work_together_behind_a_pooler() {
    let Some(database) = Database::make() else { return skipped("there is no PostgreSQL") };
    let Some(url) = database.pooled_url() else { return skipped("there is no PgBouncer (BULKHEAD_TEST_PGBOUNCER)") };
    let folders = ["a", "b"].map(|name| Folder::on_server(&url, name, &["effect", "nap"], "store.pooled = true\n"));
    // One of them has a way past the pooler, too, on which it listens.
    folders[1].write("past", &database.url);
    let places = "[store]\nurl = \"file:address\"\nlisten_url = \"file:past\"\npooled = true\n";
    folders[1].write("bulkhead.toml", format!("worker.name = \"b\"\n{places}"));
    let hosts = folders.each_ref().map(Folder::host);
    let tasks: Vec<Value> = (0..600).map(|number| json!({ "kind": "EFFECT", "payload": number })).collect();
    let ids: Vec<String> =
        tasks.chunks(50).enumerate().flat_map(|(number, chunk)| hosts[number % 2].client.submit_all(chunk)).collect();
    let long = hosts[0].client.submit(&json!({ "kind": "NAP", "payload": 60_000, "timeout": "100s" }));
    for (number, id) in ids.iter().enumerate() {
        let task = hosts[number % 2].client.ended(id);
        assert_eq!(
            (&task["state"], &task["result"], &task["attempt"]),
            (&json!("succeeded"), &json!(number), &json!(attempts_of(number)))
        );
    }
    assert_eq!(hosts[0].client.count("kind=ROW"), effects_of(600) as u64);

    eventually("the long one runs", || (hosts[1].client.task(&long)["state"] == "running").then_some(()));
    hosts[1].client.post(&format!("/v1/tasks/{long}/cancel"), &json!({}));
    assert_eq!(hosts[1].client.ended(&long)["state"], "cancelled");
    for folder in &folders {
        assert!(folder.bulkhead(&["doctor"]).good().contains("schema"));
        assert!(folder.bulkhead(&["db", "check"]).good().contains("is whole"));
    }
    for host in hosts {
        assert_eq!(host.stop(), Some(0));
    }
}
