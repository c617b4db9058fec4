//! The binary `bulkhead`; all of it is in the library beside it.

use std::process::ExitCode;

/// Gives memory back that one large handler or payload needed, where the system's allocator keeps it by the thread:
/// docs/adr/0007-allocator.md.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    // Before there are threads: the process may be the one that starts a program for a handler.
    bulkhead_gpu::take_over_if_asked();
    bulkhead::run()
}
