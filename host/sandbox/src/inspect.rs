//! What can be said of a file before it is run, and what the compiler's and the linker's refusals mean.

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::LoadError;
use crate::artifact;
use crate::bindings::HANDLER;
use crate::run_error::shown;

/// Components of CPython have 40 MB, the largest that make sense.
pub(crate) const MAX_COMPONENT: u64 = 128 << 20;
/// The first bytes of any WebAssembly, of a core module and of a component.
const MAGIC: &[u8; 4] = b"\0asm";
const MODULE: [u8; 4] = [1, 0, 0, 0];
const COMPONENT: [u8; 4] = [13, 0, 1, 0];
/// The namespace of the contract.
const CONTRACT: &str = "bulkhead:handler/";
/// The version of the contract that this host speaks; another patch of it will do.
const CONTRACT_VERSION: (&str, &str) = ("0", "1");
/// What is shown of another's message.
const MAX_SHOWN: usize = 512;

/// Refuses what is larger than any handler.
pub(crate) fn check_size(size: u64) -> Result<(), LoadError> {
    if size > MAX_COMPONENT { Err(LoadError::TooLarge { size, limit: MAX_COMPONENT }) } else { Ok(()) }
}

/// Refuses what is no component by its size and its first bytes.
pub(crate) fn check_bytes(bytes: &[u8]) -> Result<(), LoadError> {
    check_size(bytes.len() as u64)?;
    if Engine::detect_precompiled(bytes).is_some() {
        return Err(LoadError::Precompiled);
    }
    let magic = bytes.get(..4).unwrap_or(bytes);
    if !MAGIC.starts_with(magic) {
        return Err(LoadError::NotWasm);
    }
    match bytes.get(4..8) {
        None => Err(LoadError::Truncated),
        Some(version) if version == MODULE => Err(LoadError::CoreModule),
        Some(version) if version == COMPONENT => Ok(()),
        Some(version) => Err(LoadError::Invalid(format!("unknown binary version {version:02x?}"))),
    }
}

/// Compiles in this process, and says what a refusal means.
pub(crate) fn compile(engine: &Engine, bytes: &[u8]) -> Result<Vec<u8>, LoadError> {
    let compiled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| engine.precompile_component(bytes)));
    match compiled {
        Ok(Ok(code)) => Ok(code),
        Ok(Err(error)) => Err(compile_error(&format!("{error:#}"))),
        Err(_) => Err(LoadError::Host("the compiler panicked".to_owned())),
    }
}

/// Takes what the compiler has just made, and says what a refusal means: more than a sandbox may have is seen here.
pub(crate) fn take(engine: &Engine, code: &[u8]) -> Result<Component, LoadError> {
    artifact::take(engine, code).map_err(|error| compile_error(&format!("{error:#}")))
}

/// wasmtime has no types for these, so their texts are read; a test for each keeps them from drifting.
pub(crate) fn compile_error(text: &str) -> LoadError {
    let has = |part: &str| text.contains(part);
    if has("unexpected end") || has("unexpected-eof") || has("is out of bounds (bound =") {
        LoadError::Truncated
    } else if has("component model async") || has("component-model-async") || has("concurrency support") {
        LoadError::NeedsAsync(shown(text, MAX_SHOWN))
    } else if has("Permission denied") || has("Cannot allocate memory") || has("Operation not permitted") {
        LoadError::Host(format!("the system does not let this host map compiled code: {}", shown(text, MAX_SHOWN)))
    } else if has("exceeds the limit") || has("exceeds limit of") || has("exceeds the configured") {
        LoadError::TooDemanding(shown(text, MAX_SHOWN))
    } else {
        LoadError::Invalid(shown(text, MAX_SHOWN))
    }
}

/// Refuses a component of another contract by the names of its imports and exports.
pub(crate) fn check_names(engine: &Engine, component: &Component) -> Result<(), LoadError> {
    let kind = component.component_type();
    let imports = kind.imports(engine).map(|(name, _)| name.to_owned());
    let exports = kind.exports(engine).map(|(name, _)| name.to_owned());
    let mut exports_handler = false;
    let mut async_import = None;
    for name in imports.chain(exports) {
        if let Some(found) = name.strip_prefix(CONTRACT) {
            exports_handler |= found.starts_with("handler@");
            if !speaks(found) {
                let interface = found.split('@').next().unwrap_or(found);
                let expected = format!("{CONTRACT}{interface}@{}.{}.0", CONTRACT_VERSION.0, CONTRACT_VERSION.1);
                return Err(LoadError::OtherVersion { found: shown(&name, MAX_SHOWN), expected });
            }
        } else if name.starts_with("wasi:") && name.contains("@0.3") {
            async_import.get_or_insert(name);
        }
    }
    if let Some(name) = async_import {
        return Err(LoadError::NeedsAsync(shown(&name, MAX_SHOWN)));
    }
    if exports_handler { Ok(()) } else { Err(LoadError::NotAHandler { expected: HANDLER.to_owned() }) }
}

/// Whether an interface's version is of the same minor version as ours.
fn speaks(interface: &str) -> bool {
    let version = interface.split_once('@').map_or("", |(_, version)| version);
    let mut parts = version.split('.');
    (parts.next(), parts.next()) == (Some(CONTRACT_VERSION.0), Some(CONTRACT_VERSION.1))
}

/// What the linker's refusal means: it names what it misses between back-ticks.
pub(crate) fn link_error(error: &wasmtime::Error) -> LoadError {
    let text = format!("{error:#}");
    let name = text.split('`').nth(1).unwrap_or("?").to_owned();
    LoadError::UnknownImport { name: shown(&name, MAX_SHOWN), detail: shown(&text, MAX_SHOWN) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_of_the_contract_are_spoken_and_other_versions_are_not() {
        assert!(speaks("handler@0.1.0") && speaks("context@0.1.7"));
        assert!(!speaks("handler@0.2.0") && !speaks("handler@1.1.0") && !speaks("handler"));
    }

    #[test]
    fn files_are_told_apart_by_their_first_bytes() {
        assert_eq!(check_bytes(b"#!/bin/sh"), Err(LoadError::NotWasm));
        assert_eq!(check_bytes(b""), Err(LoadError::Truncated));
        assert_eq!(check_bytes(b"\0as"), Err(LoadError::Truncated));
        assert_eq!(check_bytes(b"\0asm\x01\0\0\0"), Err(LoadError::CoreModule));
        assert_eq!(check_bytes(b"\0asm\x0d\0\x01\0"), Ok(()));
        assert!(matches!(check_bytes(b"\0asm\x09\0\x01\0"), Err(LoadError::Invalid(_))));
    }
}
