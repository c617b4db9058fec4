//! The thread that moves the epoch.

use std::time::Duration;

use wasmtime::Engine;

use crate::SandboxError;

/// Every guest that executes looks up this often: often enough for a stop to reach it within 100 ms and for its
/// neighbours on the thread to go on, seldom enough to cost nothing.
pub(crate) const TICK: Duration = Duration::from_millis(2);

/// Starts the thread; it ends by itself once the engine is gone.
///
/// A plain thread, so that it ticks whatever the runtimes are busy with.
pub(crate) fn start(engine: &Engine) -> Result<(), SandboxError> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("epoch".to_owned())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TICK);
            }
        })
        .map(drop)
        .map_err(SandboxError::Thread)
}
