//! One fresh WebAssembly sandbox for each run, and the catalogue of live handlers.
