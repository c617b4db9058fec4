//! Components made to wear the compiler out.

use std::path::Path;

use bulkhead_tests::hostile::files::compile_bomb;
use bulkhead_tests::{Folder, Host, eventually};
use serde_json::{Value, json};

/// The reason why a file is refused, once it is.
fn refused(host: &Host, name: &str) -> String {
    let entry = eventually(format!("{name} is refused"), || {
        host.client.handler(name).filter(|entry: &Value| entry["status"] == "broken")
    });
    entry["reason"].as_str().unwrap_or_default().to_owned()
}

/// The processes that a process has started and that still run.
fn children(of: u32) -> String {
    let threads = std::fs::read_dir(Path::new("/proc").join(of.to_string()).join("task")).expect("it runs");
    threads.flatten().filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok()).collect()
}

fn serves(host: &Host) {
    let id = host.client.submit(&json!({"kind": "ECHO", "payload": 1}));
    assert_eq!(host.client.ended(&id)["result"], 1);
}

#[test]
fn one_that_takes_too_long_is_refused_in_time_while_others_serve() {
    let folder = Folder::with_guests(&["echo"]);
    folder.write("bulkhead.toml", "[handlers.compile]\ntimeout = \"2s\"\n");
    let host = folder.host();
    folder.drop_in("bomb", &compile_bomb(20_000, 500));
    serves(&host);
    let reason = refused(&host, "bomb");
    assert!(reason.contains("to compile than 2 s") && reason.contains("handlers.compile"), "{reason}");
    assert_eq!(children(host.pid()), "");
    serves(&host);
}

#[test]
fn one_that_needs_too_much_memory_is_refused_while_others_serve() {
    let folder = Folder::with_guests(&["echo"]);
    folder.write("bulkhead.toml", "[handlers.compile]\nmemory = \"512MiB\"\n");
    let host = folder.host();
    folder.drop_in("bomb", &compile_bomb(1, 1_200_000));
    let reason = refused(&host, "bomb");
    assert!(reason.contains("needs more memory to compile than 512.0 MiB"), "{reason}");
    assert_eq!(children(host.pid()), "");
    serves(&host);
}
