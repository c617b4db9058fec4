//! Handlers that wasm-smith makes of chance: each is refused in words, or loads and runs to an end.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|chance: &[u8]| -> Corpus {
    let Ok(component) = bulkhead_fuzz::component(chance) else { return Corpus::Reject };
    bulkhead_fuzz::load_and_run(&component);
    Corpus::Keep
});
