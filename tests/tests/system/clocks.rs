//! Hosts whose clocks are hours apart: the database's time is the one that counts.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bulkhead_tests::kills::{attempts_of, effects_of};
use bulkhead_tests::{Database, Folder, Host, eventually, places, skipped};
use serde_json::{Value, json};

/// The library that sets a process's clock wrong, where there is a C compiler.
fn shifted_clock(into: &Path) -> Option<PathBuf> {
    let library = into.join("shifted.so");
    let mut compile = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
    compile.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(places::root().join("tests/clock/shifted.c"));
    compile.output().is_ok_and(|output| output.status.success()).then_some(library)
}

/// A host whose clock is off by so many seconds.
fn off_by(folder: &Folder, library: &Path, seconds: i64) -> Host {
    let library = library.to_str().expect("a path in UTF-8");
    let environment = [("LD_PRELOAD", library), ("CLOCK_SHIFT", &seconds.to_string())];
    Host::start(folder, &environment).unwrap_or_else(|error| panic!("{error:#}"))
}

/// How far a moment that a host tells is from this machine's time.
fn off(moment: &Value) -> Duration {
    let moment: jiff::Timestamp = moment.as_str().and_then(|text| text.parse().ok()).expect("a moment");
    moment.duration_since(jiff::Timestamp::now()).unsigned_abs()
}

#[test]
fn hosts_whose_clocks_are_hours_apart_agree_on_what_is_due_and_whose_lease_has_run_out() {
    let Some(database) = Database::make() else { return skipped("there is no PostgreSQL") };
    let place = tempfile::tempdir().expect("a folder");
    let Some(library) = shifted_clock(place.path()) else { return skipped("there is no C compiler") };
    let folders = ["ahead", "behind"].map(|name| Folder::on_server(&database.url, name, &["effect", "nap"], ""));
    let ahead = off_by(&folders[0], &library, 6 * 3600);
    let behind = off_by(&folders[1], &library, -5 * 3600);
    let said = ahead.log();
    let today = jiff::Timestamp::now().to_string();
    assert!(!said.contains(&today[..13]), "its clock is right: {said}");

    // Due in the time of neither.
    let began = Instant::now();
    let delayed = ahead.client.submit(&json!({ "kind": "NAP", "payload": 1, "delay": "1500ms" }));
    let also = behind.client.submit(&json!({ "kind": "NAP", "payload": 1, "delay": "1500ms" }));
    for (id, asked) in [(&delayed, &behind), (&also, &ahead)] {
        let task = asked.client.ended(id);
        assert_eq!(task["state"], "succeeded", "{task:#}");
        assert!(began.elapsed() >= Duration::from_millis(1400), "{:?}", began.elapsed());
        for moment in [&task["created_at"], &task["run_at"], &task["ended_at"], &task["attempts"][0]["ended_at"]] {
            assert!(off(moment) < Duration::from_secs(60), "{task:#}");
        }
    }
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let soon = (jiff::Timestamp::now() + Duration::from_secs(2)).to_string();
    let expires = behind.client.submit(&json!({ "kind": "NOBODYS", "expires_at": soon }));
    eventually("it expires", || (ahead.client.task(&expires)["reason"] == "expired").then_some(()));

    // Both work, retries wait as long as they should, and neither takes the other's work for lost.
    let tasks: Vec<Value> = (0..400).map(|number| json!({ "kind": "EFFECT", "payload": number })).collect();
    let ids = ahead.client.submit_all(&tasks[..200]).into_iter().chain(behind.client.submit_all(&tasks[200..]));
    for (number, id) in ids.enumerate() {
        let task = behind.client.ended(&id);
        let attempts = attempts_of(number);
        assert_eq!((&task["state"], &task["attempt"]), (&json!("succeeded"), &json!(attempts)), "{task:#}");
    }
    assert_eq!(ahead.client.count("kind=ROW"), effects_of(400) as u64);
    for host in [ahead, behind] {
        assert_eq!(host.client.metric("lease_lost_total"), 0.0);
        assert_eq!(host.stop(), Some(0));
    }
}
