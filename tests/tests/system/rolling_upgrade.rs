//! Hosts of two versions on one database: they are upgraded one after the other, while all of them work.

use std::time::Duration;

use bulkhead_tests::kills::{attempts_of, effects_of};
use bulkhead_tests::{Database, Folder, Host, eventually, skipped};
use serde_json::{Value, json};

/// Tasks of one round.
const ROUND: usize = 400;
/// Makes a host one of the version that follows, whose schema the present one can work with.
const NEXT: [(&str, &str); 1] = [("BULKHEAD_NEXT_SCHEMA", "compatible")];
/// The same, whose schema it cannot work with.
const BREAKING: [(&str, &str); 1] = [("BULKHEAD_NEXT_SCHEMA", "breaking")];

fn start(folder: &Folder, version: &[(&str, &str)]) -> Host {
    Host::start(folder, version).unwrap_or_else(|error| panic!("{error:#}"))
}

fn run(folder: &Folder, version: &[(&str, &str)]) -> bulkhead_tests::Ran {
    folder.command().envs(version.iter().copied()).arg("run").output().expect("it can be started").into()
}

/// Submits the next tasks.
fn feed(host: &Host, ids: &mut Vec<String>) {
    let first = ids.len();
    let tasks: Vec<Value> =
        (first..first + ROUND).map(|number| json!({ "kind": "EFFECT", "payload": number })).collect();
    ids.extend(host.client.submit_all(&tasks));
}

#[test]
fn hosts_are_upgraded_one_after_the_other_while_all_of_them_work() {
    let Some(database) = Database::make() else { return skipped("there is no PostgreSQL") };
    let folders = ["a", "b", "c"].map(|name| Folder::on_server(&database.url, name, &["effect"], ""));
    let mut hosts = folders.each_ref().map(|folder| start(folder, &[]));
    let mut ids = Vec::new();
    // Each to the next version, and the last one back again, as after a mistake.
    for (number, version) in [(0, &NEXT[..]), (1, &NEXT), (2, &NEXT), (2, &[])] {
        for host in &hosts {
            feed(host, &mut ids);
        }
        hosts[number].terminate();
        let others = (number + 1) % 3;
        feed(&hosts[others], &mut ids);
        let status = hosts[number].wait(Duration::from_secs(60)).expect("it drains");
        assert!(status.success(), "{status}\n{}", hosts[number].log());
        hosts[number] = start(&folders[number], version);
        feed(&hosts[number], &mut ids);
        feed(&hosts[others], &mut ids);
    }
    for (number, id) in ids.iter().enumerate() {
        let task = hosts[number % 3].client.ended(id);
        assert_eq!(
            (&task["state"], &task["result"], &task["attempt"]),
            (&json!("succeeded"), &json!(number), &json!(attempts_of(number))),
            "{task:#}"
        );
    }
    assert_eq!(hosts[0].client.count("kind=ROW"), effects_of(ids.len()) as u64);
    for host in hosts {
        assert!(!host.log().contains("ERROR"), "{}", host.log());
        assert_eq!(host.stop(), Some(0));
    }
    assert!(folders[0].bulkhead(&["db", "check"]).good().contains("is whole"));
}

#[test]
fn a_schema_that_older_hosts_cannot_work_with_waits_until_they_are_gone_and_shuts_out_who_comes_back() {
    let Some(database) = Database::make() else { return skipped("there is no PostgreSQL") };
    let folders = ["old", "new"].map(|name| Folder::on_server(&database.url, name, &["effect"], ""));
    let old = start(&folders[0], &[]);
    let mut ids = Vec::new();
    feed(&old, &mut ids);
    run(&folders[1], &BREAKING).failed(2, &["1 host works on it", "cannot go on with schema", "stop it first"]);
    ids.iter().for_each(|id| assert_eq!(old.client.ended(id)["state"], "succeeded"));

    // It is taken for gone, and is not.
    old.freeze();
    database.ask("UPDATE attachments SET renewed_at = renewed_at - 120000");
    let new = start(&folders[1], &BREAKING);
    old.thaw();
    eventually("it says that it cannot go on", || old.log().contains("run the newer bulkhead").then_some(()));
    let refused = old.client.post("/v1/tasks", &json!({ "kind": "EFFECT", "payload": 1 }));
    assert_eq!(refused.status, 503, "{refused:?}");
    drop(old);
    run(&folders[0], &[]).failed(2, &["up to ", "run the newer bulkhead"]);
    assert_eq!(new.client.ended(&new.client.submit(&json!({ "kind": "EFFECT", "payload": 1 })))["state"], "succeeded");
    assert_eq!(new.stop(), Some(0));
}
