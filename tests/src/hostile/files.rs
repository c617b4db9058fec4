//! Files that are no handlers, and components made to wear the compiler out.

use anyhow::{Context, Result};
use bulkhead_test_guests::guest_bytes;

/// A file that somebody might drop in.
#[derive(Debug)]
pub struct BadFile {
    /// Its name without `.wasm`.
    pub name: &'static str,
    /// What it is, in a few words.
    pub is: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Words of the reason why it is refused.
    pub words: &'static str,
}

/// All of them; `compiled` is machine code of the host's own.
pub fn bad_files(compiled: Vec<u8>) -> Result<Vec<BadFile>> {
    let echo = guest_bytes("echo");
    let file = |name, is, words, bytes| BadFile { name, is, bytes, words };
    let text = |name, is, words, text: &str| -> Result<BadFile> {
        Ok(file(name, is, words, wat::parse_str(text).with_context(|| format!("{name}: {text}"))?))
    };
    let empty_handler = |version: &str| {
        format!(r#"(component (instance $i) (export "bulkhead:handler/handler@{version}" (instance $i)))"#)
    };
    let many = |what: &str, count: usize| {
        format!("(component (core module $m {what}) {})", "(core instance (instantiate $m))".repeat(count))
    };
    let module = |items: &str, count: usize| format!("(component (core module $m {}))", items.repeat(count));
    Ok(vec![
        file("script", "a script", "not WebAssembly", b"#!/bin/sh\nexec rm -rf /\n".to_vec()),
        file("nothing", "an empty file", "ends early", Vec::new()),
        file("cut_off", "half a component", "ends early", echo[..echo.len() / 2].to_vec()),
        file("noise", "rubbish after the right header", "not a valid component", noise(&echo)),
        file("large", "200 MiB", "strip", vec![0; 200 << 20]),
        file("compiled", "compiled machine code under another name", "machine code", compiled),
        text("core_module", "a core module", "core module", "(module)")?,
        text("other_world", "a component of another world", "exports no", "(component)")?,
        text("older", "built for an older contract", "handler@0.0.9", &empty_handler("0.0.9"))?,
        text("half", "without `handle`", "#dispatch", &empty_handler("0.1.0"))?,
        text("imports", "imports what the host has not", "acme:tools/hammer", IMPORTS)?,
        text("async", "made for WASI 0.3", "WASI 0.3", ASYNC)?,
        text("memories", "40 memories", "more than one sandbox", &many("(memory 1)", 40))?,
        text("tables", "20 tables", "more than one sandbox", &many("(table 1 funcref)", 20))?,
        text("instances", "100 instances", "more than one sandbox", &many("", 100))?,
        text("big_table", "a table of a billion", "more than one sandbox", &many("(table 1000000000 funcref)", 1))?,
        text("deep_types", "types nested 1,000 deep", "not a valid component", &deep_types(1000))?,
        text("functions", "2 M functions", "more than one sandbox", &module("(func)", 2_000_000))?,
    ])
}

const IMPORTS: &str = r#"(component
    (import "acme:tools/hammer@1.0.0" (instance (export "hit" (func))))
    (instance $i) (export "bulkhead:handler/handler@0.1.0" (instance $i)))"#;

const ASYNC: &str = r#"(component
    (core module $m (func (export "f")))
    (core instance $m (instantiate $m))
    (func $f async (canon lift (core func $m "f") async)))"#;

/// The header of a component, and then bytes that say nothing.
fn noise(component: &[u8]) -> Vec<u8> {
    let mut bytes = component.to_vec();
    for (number, byte) in bytes.iter_mut().enumerate().skip(8) {
        *byte = (number.wrapping_mul(2_654_435_761) >> 7) as u8;
    }
    bytes
}

fn deep_types(depth: usize) -> String {
    let mut text = String::from("(component (type $t0 u8)");
    for number in 1..depth {
        text += &format!(" (type $t{number} (list $t{}))", number - 1);
    }
    text + ")"
}

/// A component that is nothing but one core module of so many functions, each of so many steps that do not fold into less.
pub fn compile_bomb(functions: u32, steps: usize) -> Vec<u8> {
    let mut body = vec![0, 0x20, 0];
    for step in 0..steps {
        // i32.const, then add, sub or mul; local.get 0, then and, or or xor.
        body.push(0x41);
        body.push(1 + (step % 60) as u8);
        body.extend([0x6a + (step % 3) as u8, 0x20, 0, 0x71 + (step % 3) as u8]);
    }
    body.push(0x0b);
    let mut code = Vec::new();
    leb(&mut code, functions as usize);
    for _ in 0..functions {
        leb(&mut code, body.len());
        code.extend(&body);
    }
    let mut types = Vec::new();
    leb(&mut types, functions as usize);
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
    leb(into, content.len());
    into.extend(content);
}

/// LEB128, as lengths are written in WebAssembly.
fn leb(into: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        into.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}
