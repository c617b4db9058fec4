//! Handlers made by chance: whatever module wasm-smith makes, with exports that a handler has.

use std::collections::HashMap;
use std::path::Path;
use std::sync::LazyLock;

use anyhow::{Context, Result};
use arbitrary::Unstructured;
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{CodeSection, Function, Instruction, MemArg};
use wasm_smith::Config;
use wasmparser::{ExternalKind, FunctionBody, Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve, WorldId};

/// What a module must export to become a handler, and with which types.
const SHAPE: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export "bulkhead:handler/handler@0.1.0#kind") (result i32) unreachable)
    (func (export "bulkhead:handler/handler@0.1.0#provides") (result i32) unreachable)
    (func (export "bulkhead:handler/handler@0.1.0#defaults") (result i32) unreachable)
    (func (export "bulkhead:handler/handler@0.1.0#dispatch")
        (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable)
    (func (export "bulkhead:handler/handler@0.1.0#handle")
        (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable))"#;

/// Where a guest leaves the address and length of a text, and the text itself.
const ANSWER: i32 = 128;
const TEXT: i32 = 144;
/// Where the host may write what it passes.
const PASSED: i32 = 1024;

/// The contract, and its world of a handler.
static CONTRACT: LazyLock<(Resolve, WorldId)> = LazyLock::new(|| {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let mut contract = Resolve::new();
    let (package, _) = contract.push_path(&wit).expect("the contract");
    let world = contract.select_world(&[package], Some("task-handler")).expect("its world");
    (contract, world)
});

/// All that a handler may import, as a module.
static IMPORTS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let (contract, world) = &*CONTRACT;
    wit_component::dummy_module(contract, *world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync))
});

static EXPORTS: LazyLock<Vec<u8>> = LazyLock::new(|| wat::parse_str(SHAPE).expect("the shape"));

/// The component that these bytes of chance make.
pub fn component(chance: &[u8]) -> Result<Vec<u8>> {
    let mut chance = Unstructured::new(chance);
    let config = config(&mut chance)?;
    let told: [bool; 5] = [(); 5].map(|()| chance.ratio(9u8, 10).unwrap_or(true));
    let module = wasm_smith::Module::new(config, &mut chance)?.to_bytes();
    let mut module = with_answers(&module, told)?;
    let (contract, world) = &*CONTRACT;
    embed_component_metadata(&mut module, contract, *world, StringEncoding::UTF8)?;
    ComponentEncoder::default().validate(false).module(&module)?.encode()
}

fn config(chance: &mut Unstructured<'_>) -> arbitrary::Result<Config> {
    Ok(Config {
        available_imports: Some(IMPORTS.clone()),
        exports: Some(EXPORTS.clone()),
        max_imports: chance.int_in_range(0..=12)?,
        allow_start_export: chance.ratio(1u8, 8)?,
        max_instructions: *chance.choose(&[10, 50, 200])?,
        max_funcs: 12,
        max_memories: chance.int_in_range(1..=4)?,
        max_tables: chance.int_in_range(1..=6)?,
        max_memory32_bytes: *chance.choose(&[1 << 20, 1 << 25, 1 << 32])?,
        max_table_elements: *chance.choose(&[100, 30_000, 1_000_000])?,
        bulk_memory_enabled: true,
        reference_types_enabled: true,
        simd_enabled: chance.ratio(1u8, 2)?,
        relaxed_simd_enabled: chance.ratio(1u8, 4)?,
        tail_call_enabled: chance.ratio(1u8, 2)?,
        exceptions_enabled: chance.ratio(1u8, 16)?,
        gc_enabled: chance.ratio(1u8, 16)?,
        memory64_enabled: chance.ratio(1u8, 16)?,
        threads_enabled: chance.ratio(1u8, 16)?,
        allow_invalid_funcs: chance.ratio(1u8, 32)?,
        ..Config::default()
    })
}

/// The module with the answers of a handler in place of what it exports under their names, each as often as told:
/// chance alone would hardly ever describe itself.
fn with_answers(module: &[u8], told: [bool; 5]) -> Result<Vec<u8>> {
    let (mut memory, mut imported, mut exported) = (0, 0, HashMap::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    imported += u32::from(matches!(import?.ty, wasmparser::TypeRef::Func(_)));
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    match export.kind {
                        ExternalKind::Memory => memory = export.index,
                        _ => drop(exported.insert(export.name.rsplit('#').next().unwrap_or_default(), export.index)),
                    }
                }
            }
            _ => {}
        }
    }
    let mut answers = Answers { next: imported, bodies: HashMap::new() };
    let bodies = [
        ("cabi_realloc", constant(PASSED)),
        ("kind", text(memory, "FUZZ")),
        ("provides", text(memory, "")),
        ("defaults", text(memory, "{}")),
        ("dispatch", constant(1)),
    ];
    for ((name, body), told) in bodies.into_iter().zip(told) {
        if told {
            answers.bodies.insert(*exported.get(name).context(name)?, body);
        }
    }
    let mut changed = wasm_encoder::Module::new();
    let done = answers.parse_core_module(&mut changed, Parser::new(0), module);
    done.map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(changed.finish())
}

fn constant(value: i32) -> Function {
    function(&[Instruction::I32Const(value)])
}

/// Answers a text of up to four bytes; it is a list without elements as well where it is empty.
fn text(memory: u32, text: &str) -> Function {
    let mut word = [0; 4];
    word[..text.len()].copy_from_slice(text.as_bytes());
    let place = MemArg { offset: 0, align: 2, memory_index: memory };
    let store = |at, value| [Instruction::I32Const(at), Instruction::I32Const(value), Instruction::I32Store(place)];
    let mut body = Vec::new();
    body.extend(store(ANSWER, TEXT));
    body.extend(store(ANSWER + 4, text.len() as i32));
    body.extend(store(TEXT, i32::from_le_bytes(word)));
    body.push(Instruction::I32Const(ANSWER));
    function(&body)
}

fn function(body: &[Instruction<'_>]) -> Function {
    let mut function = Function::new([]);
    for instruction in body.iter().chain([&Instruction::End]) {
        function.instruction(instruction);
    }
    function
}

/// Copies a module, some of whose bodies are replaced.
struct Answers {
    next: u32,
    bodies: HashMap<u32, Function>,
}

impl Reencode for Answers {
    type Error = std::convert::Infallible;

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let index = self.next;
        self.next += 1;
        match self.bodies.get(&index) {
            Some(answer) => {
                code.function(answer);
                Ok(())
            }
            None => utils::parse_function_body(self, code, body),
        }
    }
}
