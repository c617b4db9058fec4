//! Loading what may be a handler, and running it once.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use bulkhead_core::{Fuel, HandlerName, RunEnd, Size, TagSet};
use bulkhead_sandbox::{LoadError, RunControl, RunFacts, RunLimits, RunRequest, Sandbox, SandboxSettings};
use tokio::runtime::Runtime;

/// The most memory of one guest.
const MEMORY: Size = Size::from_mib(32);
/// What a run may use.
const FUEL: u64 = 1_000_000;
const TIMEOUT: Duration = Duration::from_millis(100);
/// What a run may take beyond that on a busy machine before it counts as one that does not end.
const PATIENCE: Duration = Duration::from_secs(5);
/// What a refusal may say at most, in bytes.
const WORDS: usize = 2 << 10;

static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| {
    let settings = SandboxSettings { max_concurrent: 1, max_memory: MEMORY, ..SandboxSettings::default() };
    Sandbox::try_new(&settings).expect("a sandbox")
});

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"));

/// The one sandbox of this process; it compiles by itself, so that what the compiler does is seen.
pub(crate) fn sandbox() -> &'static Sandbox {
    &SANDBOX
}

/// Loads the bytes as a handler and runs that once. It is refused in words, or ends within its limits.
pub fn load_and_run(bytes: &[u8]) {
    let name = HandlerName::parse("fuzz").expect("a name");
    let handler = match sandbox().load(&name, bytes) {
        Ok(handler) => handler,
        Err(error @ (LoadError::Host(_) | LoadError::Busy)) => panic!("the host's own trouble: {error:?}"),
        Err(error) => {
            let words = error.to_string();
            assert!(!words.is_empty() && words.len() <= WORDS, "{} bytes: {words}", words.len());
            return;
        }
    };
    let limits = RunLimits {
        timeout: TIMEOUT,
        fuel: Fuel::try_new(FUEL).expect("fuel"),
        memory: MEMORY,
        result: Size::from_kib(64),
        logs: Size::from_kib(16),
        payload: Size::from_mib(1),
    };
    let request = RunRequest {
        id: "019aa5c7-6f5e-7d7b-8f0a-0123456789ab",
        kind: handler.kind().as_str(),
        payload: r#"{"name":"fuzz"}"#,
        requires: &TagSet::default(),
        attempt: 1,
        max_attempts: 1,
        stage: 0,
        facts: RunFacts::default(),
        limits,
        control: Arc::new(RunControl::new()),
        observer: None,
        upstream: None,
        delegates: None,
        workspace: None,
    };
    let began = Instant::now();
    let report = RUNTIME.block_on(sandbox().run(&handler, request));
    assert!(began.elapsed() < TIMEOUT + PATIENCE, "it ran for {:?}: {report:?}", began.elapsed());
    assert!(!matches!(report.end, RunEnd::Interrupted(_)), "nobody interrupted it: {report:?}");
    assert!(report.peak_memory <= MEMORY.bytes(), "{report:?}");
}
