//! The launcher as a program of its own.

fn main() -> std::process::ExitCode {
    bulkhead_gpu::take_over_if_asked();
    // Asked for nothing that it knows: only a host starts it.
    std::process::ExitCode::from(2)
}
