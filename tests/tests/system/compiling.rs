//! Components made to wear the compiler out.

use std::path::Path;

use bulkhead_tests::{Folder, Host, eventually};
use serde_json::{Value, json};

/// A component that is nothing but one core module of many long functions.
fn bomb(functions: u32, length: usize) -> Vec<u8> {
    let mut body = vec![0];
    body.extend([0x20, 0]);
    for step in 0..length {
        // local.get 0, i32.const, then one of add, sub, mul, and, or, xor: nothing that folds into less.
        body.extend([0x20, 0, 0x41]);
        leb(&mut body, (step % 60) as u32);
        body.push(0x6a + (step % 3) as u8);
        body.push(0x71 + (step % 3) as u8);
    }
    body.push(0x0b);
    let mut code = Vec::new();
    leb(&mut code, functions);
    for _ in 0..functions {
        leb(&mut code, body.len() as u32);
        code.extend(&body);
    }
    let mut types = Vec::new();
    leb(&mut types, functions);
    types.extend(std::iter::repeat_n(0, functions as usize));

    let mut module = b"\0asm\x01\0\0\0".to_vec();
    section(&mut module, 1, &[1, 0x60, 1, 0x7f, 1, 0x7f]);
    section(&mut module, 3, &types);
    section(&mut module, 10, &code);
    let mut component = b"\0asm\x0d\0\x01\0".to_vec();
    section(&mut component, 1, &module);
    component
}

fn section(into: &mut Vec<u8>, id: u8, content: &[u8]) {
    into.push(id);
    leb(into, content.len() as u32);
    into.extend(content);
}

fn leb(into: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        into.push((number as u8 & 0x7f) | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

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
    folder.drop_in("bomb", &bomb(20_000, 500));
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
    folder.drop_in("bomb", &bomb(1, 1_200_000));
    let reason = refused(&host, "bomb");
    assert!(reason.contains("needs more memory to compile than 512.0 MiB"), "{reason}");
    assert_eq!(children(host.pid()), "");
    serves(&host);
}
