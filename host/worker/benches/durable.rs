//! Durable throughput.
fn main() {}
