//! Asking a component what it is, once, under a small budget, with every delegate closed.

use std::time::{Duration, Instant};

use bulkhead_core::{Interruption, JsonText, Kind, Limit, Overrides, RunEnd, Size, TagSet};
use wasmtime::Engine;

use crate::LoadError;
use crate::bindings::TaskHandlerPre;
use crate::component::{Description, Ready};
use crate::fence::fenced;
use crate::host_state::HostState;
use crate::run_error::{Phase, run_end, shown};

/// For instantiation and all exports together: an interpreter that starts up needs some ten million units.
const FUEL: u64 = 2_000_000_000;
/// For instantiation and all exports together.
const TIMEOUT: Duration = Duration::from_secs(1);
/// What the answers may take together.
const ANSWER_BYTES: usize = 1 << 20;
/// The longest text of defaults.
const MAX_DEFAULTS: usize = 64 << 10;
/// What is shown of a bad answer.
const MAX_SHOWN: usize = 256;

/// Instantiates the component and calls `kind`, `provides` and `defaults`.
///
/// On a thread of its own, with a runtime of its own: the caller may be inside of one, and nothing a component does here
/// reaches it.
pub(crate) fn describe(engine: &Engine, ready: &Ready, memory: Size) -> Result<Description, LoadError> {
    let asked = std::thread::scope(|scope| {
        scope
            .spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let runtime = runtime.map_err(|error| LoadError::Host(error.to_string()))?;
                runtime.block_on(ask(engine, ready, memory))
            })
            .join()
    });
    asked.unwrap_or_else(|_| Err(LoadError::Host("describing it panicked".to_owned())))
}

async fn ask(engine: &Engine, ready: &Ready, memory: Size) -> Result<Description, LoadError> {
    // Alone on its thread, so that its clock is the wall's.
    let deadline = Instant::now() + TIMEOUT;
    let mut store = crate::run::store(engine, HostState::for_description(memory, deadline));
    store.set_hostcall_fuel(ANSWER_BYTES);
    let host_error = |error: wasmtime::Error| LoadError::Host(format!("{error:#}"));
    store.set_fuel(FUEL).map_err(host_error)?;
    let control = std::sync::Arc::clone(&store.data().control);

    let pre = TaskHandlerPre::new(ready.instance().clone()).map_err(|error| wrong_export(&error))?;
    let instance = fenced(pre.instance_pre().instantiate_async(&mut store), deadline, &control).await;
    let instance = answered("instantiate", Phase::Instantiate, instance, store.data())?;
    let handler = crate::bindings::TaskHandler::new(&mut store, &instance).map_err(|error| wrong_export(&error))?;
    let handler = handler.bulkhead_handler_handler();

    let kind = fenced(handler.call_kind(&mut store), deadline, &control).await;
    let kind = answered("kind", Phase::Call, kind, store.data())?;
    let kind = Kind::parse(kind).map_err(|error| unusable("kind", &error.to_string()))?;

    let provides = fenced(handler.call_provides(&mut store), deadline, &control).await;
    let provides = answered("provides", Phase::Call, provides, store.data())?;
    let provides = TagSet::parse(provides).map_err(|error| unusable("provides", &error.to_string()))?;

    let defaults = fenced(handler.call_defaults(&mut store), deadline, &control).await;
    let defaults = answered("defaults", Phase::Call, defaults, store.data())?;
    Ok(Description { kind, provides, defaults: parse_defaults(defaults)? })
}

/// Nothing at all stands for no wishes.
fn parse_defaults(text: String) -> Result<Overrides, LoadError> {
    if text.is_empty() {
        return Ok(Overrides::default());
    }
    let text = JsonText::parse(text, MAX_DEFAULTS).map_err(|error| unusable("defaults", &error.to_string()))?;
    serde_json::from_str(text.as_str()).map_err(|error| unusable("defaults", &error.to_string()))
}

fn unusable(export: &'static str, problem: &str) -> LoadError {
    LoadError::Description { export, problem: shown(problem, MAX_SHOWN) }
}

fn wrong_export(error: &wasmtime::Error) -> LoadError {
    LoadError::WrongExport {
        name: crate::bindings::HANDLER.to_owned(),
        detail: shown(&format!("{error:#}"), MAX_SHOWN),
    }
}

/// The answer, or in words what came instead.
fn answered<T>(
    export: &'static str,
    phase: Phase,
    answer: Result<wasmtime::Result<T>, RunEnd>,
    host: &HostState,
) -> Result<T, LoadError> {
    let end = match answer {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(error)) => run_end(&error, phase, host),
        Err(end) => end,
    };
    let problem = match end {
        RunEnd::Trapped { code, .. } => format!("traps: {code}"),
        RunEnd::OutOfFuel | RunEnd::TimedOut => {
            format!("does not end within {} s and {FUEL} units of fuel: it must be quick", TIMEOUT.as_secs())
        }
        RunEnd::LimitReached(Limit::Memory) => {
            format!("needs more than the {memory} that a sandbox may have at most", memory = host.memory_limit())
        }
        RunEnd::LimitReached(Limit::Result) => format!("answers more than {ANSWER_BYTES} bytes"),
        RunEnd::LimitReached(limit) => format!("reaches a limit: {}", limit.as_str()),
        RunEnd::Invalid(what) => format!("breaks the contract: {what}"),
        RunEnd::Interrupted(Interruption::PoolFull) => return Err(LoadError::Busy),
        other => format!("ends oddly: {}", other.name()),
    };
    Err(LoadError::Describe { export, problem })
}
