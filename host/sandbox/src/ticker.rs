//! The thread that moves the epoch.

use std::time::Duration;

use wasmtime::EngineWeak;

use crate::SandboxError;

/// Every guest that executes looks up this often: often enough for a stop to reach it within 100 ms and for its
/// neighbours on the thread to go on, seldom enough to cost nothing.
pub(crate) const TICK: Duration = Duration::from_millis(2);

/// Starts the thread; it ends by itself once one of the engines is gone, which all go together.
///
/// A plain thread, so that it ticks whatever the runtimes are busy with.
pub(crate) fn start(engines: Vec<EngineWeak>) -> Result<(), SandboxError> {
    std::thread::Builder::new()
        .name("epoch".to_owned())
        .spawn(move || {
            let tick = |engine: &EngineWeak| engine.upgrade().map(|engine| engine.increment_epoch()).is_some();
            while engines.iter().all(tick) {
                std::thread::sleep(TICK);
            }
        })
        .map(drop)
        .map_err(SandboxError::Thread)
}
