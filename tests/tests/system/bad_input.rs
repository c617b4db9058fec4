//! What people get wrong: each time one clear answer with the next step, nothing stored by halves, and nobody else hurt.

use std::net::TcpListener;

use bulkhead_test_guests::guest_bytes;
use bulkhead_tests::{Folder, Host, eventually};
use serde_json::json;

/// Nothing was stored, and the host still works.
fn unharmed(host: &Host) {
    assert_eq!(host.client.count("kind=ECHO"), 0, "something was stored");
    let id = host.client.submit(&json!({"kind": "ECHO", "payload": 7}));
    assert_eq!(host.client.ended(&id)["result"], 7);
}

#[test]
fn a_bad_submission_is_refused_whole() {
    let folder = Folder::with_guests(&["echo"]);
    let host = folder.host();
    let deep = format!("{{\"kind\":\"ECHO\",\"payload\":{}{}}}", "[".repeat(200), "]".repeat(200));
    let large = format!("{{\"kind\":\"ECHO\",\"payload\":\"{}\"}}", "x".repeat((1 << 20) + 1));
    let tags = (0..33).map(|number| format!("\"tag-{number}\"")).collect::<Vec<_>>().join(",");
    let many_tags = format!("{{\"kind\":\"ECHO\",\"requires\":[{tags}]}}");
    let bodies: &[(&str, u16, &str)] = &[
        ("{\"kind\":\"ECHO\"", 400, "EOF"),
        ("{\"kind\":\"ECHO\"} {}", 400, "trailing"),
        ("\u{1}", 400, "expected value"),
        ("\"ECHO\"", 422, "expected"),
        ("{}", 422, "kind"),
        ("{\"kind\":\"\"}", 422, "kind"),
        ("{\"kind\":\"no spaces\"}", 422, "kind"),
        ("{\"kind\":\"ECHO\",\"payloda\":1}", 422, "payloda"),
        ("{\"kind\":\"ECHO\",\"payload\":\"\\ud800\"}", 422, "hex escape"),
        (&deep, 422, "128"),
        (&large, 413, "store.max_payload"),
        ("{\"kind\":\"ECHO\",\"requires\":[\"GPU!\"]}", 422, "GPU!"),
        (&many_tags, 422, "32"),
        ("{\"kind\":\"ECHO\",\"priority\":21}", 422, "priority"),
        ("{\"kind\":\"ECHO\",\"delay\":\"soon\"}", 422, "delay"),
        ("{\"kind\":\"ECHO\",\"max_attempts\":0}", 422, "max_attempts"),
        ("{\"kind\":\"ECHO\",\"fuel\":0}", 422, "fuel"),
        ("{\"kind\":\"ECHO\",\"id\":\"with space\"}", 422, "id"),
        ("{\"kind\":\"ECHO\",\"tags\":{\"te\\u0007am\":\"blue\"}}", 422, "control characters"),
        ("{\"kind\":\"ECHO\",\"tags\":{\"team\":\"blue\\n\"}}", 422, "control characters"),
    ];
    for (body, status, words) in bodies {
        let answer = host.client.try_post("/v1/tasks", "application/json", body.as_bytes()).expect("an answer");
        let shown: String = body.chars().take(60).collect();
        assert_eq!(answer.status, *status, "{shown}: {answer:?}");
        assert_eq!(answer.media_type, "application/problem+json", "{shown}");
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(words), "{shown}: {detail}");
        assert!(detail.len() < 1000, "{shown}: {detail}");
    }
    unharmed(&host);
}

#[test]
fn one_bad_line_of_many_is_named_and_nothing_is_stored() {
    let folder = Folder::with_guests(&["echo"]);
    let host = folder.host();
    let mut lines = vec![json!({"kind": "ECHO"}).to_string(); 1000];
    lines[699] = "{\"kind\":\"ECHO\",\"priority\":99}".to_owned();
    let file = folder.write("tasks.ndjson", lines.join("\n"));
    let answer = host.client.try_post("/v1/tasks", "application/x-ndjson", lines.join("\n").as_bytes());
    let answer = answer.expect("an answer");
    assert_eq!((answer.status, &answer.body["line"]), (422, &json!(700)), "{answer:?}");
    assert!(answer.body["detail"].as_str().is_some_and(|detail| detail.contains("nothing was stored")), "{answer:?}");
    let file = file.to_str().expect("a path in UTF-8");
    host.cli(&folder, &["submit", "--file", file]).failed(2, &["line 700", "priority"]);

    // Lines are counted as an editor counts them, blank ones too.
    let taken = "\n{\"kind\":\"ECHO\",\"id\":\"mine\"}\n\n{\"kind\":\"ECHO\",\"id\":\"mine\",\"payload\":1}\n";
    let answer = host.client.try_post("/v1/tasks", "application/x-ndjson", taken.as_bytes()).expect("an answer");
    assert_eq!((answer.status, &answer.body["line"]), (409, &json!(4)), "{answer:?}");

    let too_many = format!("{}\n", json!({"kind": "ECHO"})).repeat(10_001);
    let answer = host.client.try_post("/v1/tasks", "application/x-ndjson", too_many.as_bytes()).expect("an answer");
    assert_eq!(answer.status, 413, "{answer:?}");
    unharmed(&host);
}

#[test]
fn an_unknown_kind_waits_or_is_refused_as_the_operator_says() {
    let folder = Folder::with_guests(&["echo"]);
    let host = folder.host();
    let id = host.client.submit(&json!({"kind": "NOBODY"}));
    assert_eq!(host.client.task(&id)["state"], "ready");
    assert_eq!(host.client.metric("queue_unroutable"), 1.0);
    assert_eq!(host.stop(), Some(0));

    folder.write("bulkhead.toml", "[store]\nallow_unknown_kinds = false\n");
    let host = folder.host();
    let answer = host.client.post("/v1/tasks", &json!({"kind": "ECO"}));
    assert_eq!(answer.status, 422, "{answer:?}");
    assert!(answer.body["detail"].as_str().is_some_and(|detail| detail.contains("ECHO")), "{answer:?}");
    unharmed(&host);
}

#[test]
fn the_same_id_or_key_with_another_body_is_a_conflict() {
    let folder = Folder::fresh();
    let host = folder.host();
    for name in ["id", "key"] {
        let first = host.client.post("/v1/tasks", &json!({"kind": "A", "payload": 1, name: "mine"}));
        assert_eq!(first.status, 201, "{first:?}");
        let again = host.client.post("/v1/tasks", &json!({"kind": "A", "payload": 1, name: "mine"}));
        assert_eq!((again.status, &again.body["duplicate"]), (200, &json!(true)), "{again:?}");
        assert_eq!(again.body["id"], first.body["id"]);
        let other = host.client.post("/v1/tasks", &json!({"kind": "A", "payload": 2, name: "mine"}));
        assert_eq!(other.status, 409, "{other:?}");
    }
    assert_eq!(host.client.count("kind=A"), 2);
}

#[test]
fn a_bad_handler_is_named_with_its_fault_and_the_others_work() {
    let folder = Folder::with_guests(&["echo"]);
    let whole = guest_bytes("noop");
    let bad: &[(&str, Vec<u8>, &str)] = &[
        ("text", b"#!/bin/sh\necho hello\n".to_vec(), "not WebAssembly"),
        ("module", wat("(module)"), "component"),
        ("world", wat("(component)"), "bulkhead:handler"),
        ("truncated", whole[..whole.len() / 2].to_vec(), "ends early"),
        ("empty", Vec::new(), "ends early"),
        ("kind_traps", guest_bytes("kind_traps"), "kind"),
        ("kind_loops", guest_bytes("kind_loops"), "kind"),
        ("bad_kind", guest_bytes("bad_kind"), "kind"),
        ("bad_tags", guest_bytes("bad_tags"), "tag"),
        ("bad_defaults", guest_bytes("bad_defaults"), "defaults"),
        ("Bad-Name", whole.clone(), "handler name"),
    ];
    for (name, bytes, _) in bad {
        folder.drop_in(name, bytes);
    }
    let host = folder.host();
    let listed = eventually("every file has been looked at", || {
        let listed = host.cli(&folder, &["handler", "list", "--output", "json"]).json();
        (listed.as_array().map_or(0, Vec::len) > bad.len()).then_some(listed)
    });
    for (name, _, words) in bad {
        let entry = listed.as_array().into_iter().flatten().find(|entry| entry["name"] == *name);
        let entry = entry.unwrap_or_else(|| panic!("`{name}` is not listed: {listed:#}"));
        assert_ne!(entry["status"], "live", "{entry}");
        let shown = entry["reason"].to_string();
        assert!(shown.contains(words) && shown.len() > 20, "{entry}");

        let file = folder.path().join(format!("handlers/{name}.wasm"));
        let check = folder.bulkhead(&["handler", "check", file.to_str().expect("a path in UTF-8")]);
        assert_ne!(check.code, Some(0), "{check:#?}");
        assert!((check.stdout.clone() + &check.stderr).contains(words), "{check:#?}");
    }
    unharmed(&host);
}

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("it is WAT")
}

#[test]
fn settings_that_make_no_sense_are_named_with_what_is_near() {
    let cases: &[(&str, &[&str])] = &[
        ("[wroker]\ncpu_slots = 1\n", &["wroker", "worker"]),
        ("[worker]\ncpu_slot = 1\n", &["cpu_slot", "cpu_slots", "bulkhead.toml"]),
        ("[worker]\ncpu_slots = \"two\"\n", &["cpu_slots", "line 2"]),
        ("[worker]\ncpu_slots = 0\n", &["cpu_slots", "nonzero"]),
        ("[handler.echo]\ntimeout = \"5 parsecs\"\n", &["timeout"]),
        ("[handler.echo.grants]\ndocker = true\n", &["docker"]),
        ("[worker\n", &["bulkhead.toml"]),
    ];
    for (settings, words) in cases {
        let folder = Folder::with_settings(settings);
        for command in [&["config", "check"][..], &["run"]] {
            let ran = folder.bulkhead(command);
            assert_eq!(ran.code, Some(2), "{settings}: {ran:#?}");
            ran.failed(2, words);
        }
        assert!(!folder.path().join("bulkhead.db").exists(), "{settings}");
    }
    let folder = Folder::fresh();
    for (name, value, words) in [
        ("BULKHEAD_WORKER__CPU_SLOT", "1", ["BULKHEAD_WORKER__CPU_SLOT", "cpu_slots"]),
        ("BULKHEAD_SERVER__LISTEN", "0.0.0.0:0", ["server.listen", "loopback"]),
        ("BULKHEAD_LIMITS__RENDER__RATE", "100/s", ["BULKHEAD_LIMITS__RENDER__RATE", "settings file"]),
    ] {
        for arguments in [&["config", "check"][..], &["run"]] {
            let mut command = folder.command();
            command.env(name, value).args(arguments);
            bulkhead_tests::Ran::from(command.output().expect("it can be started")).failed(2, &words);
        }
    }
}

#[test]
fn a_missing_handlers_folder_is_named() {
    let folder = Folder::with_settings("[handlers]\ndir = \"nowhere\"\n");
    folder.bulkhead(&["run"]).failed(2, &["nowhere", "create it"]);
    folder.bulkhead(&["doctor"]).failed(1, &[]);
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let folder = Folder::fresh();
    let mut command = folder.command();
    command.env("BULKHEAD_SERVER__LISTEN", &address).arg("run");
    let ran = bulkhead_tests::Ran::from(command.output().expect("it can be started"));
    ran.failed(2, &[&address, "server.listen"]);
}

#[test]
fn without_a_host_the_command_line_says_how_to_start_one() {
    let folder = Folder::fresh();
    let ran = folder.bulkhead(&["--url", "http://127.0.0.1:9", "task", "list"]);
    ran.failed(2, &["127.0.0.1:9", "bulkhead run"]);
}

#[test]
fn a_request_for_another_host_is_refused() {
    let folder = Folder::fresh();
    let host = folder.host();
    let request = |header: &str, value: &str| {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let answer = agent.get(format!("{}/v1/tasks", host.url)).header(header, value).call().expect("an answer");
        answer.status().as_u16()
    };
    assert_eq!(request("accept", "application/json"), 200);
    assert_eq!(request("host", "evil.example"), 403);
    assert_eq!(request("origin", "http://evil.example"), 403);
    for (path, status) in [
        ("/v1/nothing", 404),
        ("/v1/tasks?limit=many", 400),
        ("/v1/tasks?colour=red", 400),
        ("/v1/tasks/%FF", 400),
        ("/v1/workspaces/a/files/%FF", 400),
        ("/v1/dlq/retry", 405),
    ] {
        let answer = host.client.get(path);
        assert_eq!((answer.status, answer.media_type.as_str()), (status, "application/problem+json"), "{answer:?}");
        assert_eq!(answer.body["status"], status, "{answer:?}");
    }
}
