//! Write Bulkhead task handlers in Rust.
