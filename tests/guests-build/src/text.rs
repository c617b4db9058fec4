//! Guests written as WebAssembly text: core modules that speak the canonical ABI of the contract.

use std::path::Path;

use anyhow::Result;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The component of one core module, for the world of the contract in `wit`.
pub(crate) fn component(text: &Path, wit: &Path) -> Result<Vec<u8>> {
    let mut module = wat::parse_file(text)?;
    let mut contract = Resolve::new();
    let (package, _) = contract.push_path(wit)?;
    let world = contract.select_world(&[package], Some("task-handler"))?;
    embed_component_metadata(&mut module, &contract, world, StringEncoding::UTF8)?;
    ComponentEncoder::default().validate(true).module(&module)?.encode()
}
