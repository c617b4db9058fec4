//! What an error that comes out of wasmtime means for the run.

use bulkhead_core::{Interruption, Limit, RunEnd};
use wasmtime::component::ResourceTableError;
use wasmtime::{Error, PoolConcurrencyLimitError, Trap, WasmBacktrace};

use crate::fence::Fence;
use crate::guest_log::escape;
use crate::host_state::HostState;

/// The longest back-trace that is kept, in bytes.
const MAX_BACKTRACE: usize = 4 << 10;
/// The longest message that is kept, in bytes.
const MAX_MESSAGE: usize = 512;

/// What the guest was at when the error came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The sandbox was being made.
    Instantiate,
    /// An export was called, or its answer read.
    Call,
}

/// How a run ends that ends by an error.
///
/// Typed errors first; where wasmtime has a text only, by that text.
pub(crate) fn run_end(error: &Error, phase: Phase, host: &HostState) -> RunEnd {
    if let Some(fence) = error.downcast_ref::<Fence>() {
        return fence.run_end();
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return RunEnd::Interrupted(Interruption::PoolFull);
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => return RunEnd::OutOfFuel,
        Some(Trap::Interrupt) => return RunEnd::TimedOut,
        _ => {}
    }
    if let Some(limit) = host.limiter.refused() {
        return RunEnd::LimitReached(limit);
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return RunEnd::Trapped { code: trap_name(*trap), backtrace: backtrace(error) };
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref() {
        return RunEnd::LimitReached(Limit::Handles);
    }
    // A guest that is inside of a call has a back-trace; one whose answer is read has none.
    let in_guest = error.downcast_ref::<WasmBacktrace>().is_some();
    let cause = error.root_cause().to_string();
    if cause.contains("handle limit exceeded") {
        RunEnd::LimitReached(Limit::Handles)
    } else if cause.contains("fuel allocated for hostcalls") {
        RunEnd::LimitReached(if in_guest { Limit::HostCalls } else { Limit::Result })
    } else if cause.contains("resource limit exceeded") {
        RunEnd::LimitReached(Limit::Instances)
    } else if in_guest && cause.contains("exceeds limit") {
        RunEnd::LimitReached(Limit::HostCalls)
    } else if in_guest || phase == Phase::Instantiate {
        RunEnd::Trapped { code: shown(&cause, MAX_MESSAGE), backtrace: backtrace(error) }
    } else {
        RunEnd::Invalid(format!("the answer cannot be read: {}", shown(&cause, MAX_MESSAGE)))
    }
}

/// The public name of a trap.
fn trap_name(trap: Trap) -> String {
    match trap {
        Trap::UnreachableCodeReached => "unreachable".to_owned(),
        Trap::StackOverflow => "stack overflow".to_owned(),
        Trap::MemoryOutOfBounds => "memory out of bounds".to_owned(),
        other => other.to_string().trim_start_matches("wasm trap: ").to_owned(),
    }
}

/// The guest's functions from the innermost out, by name.
fn backtrace(error: &Error) -> String {
    error.downcast_ref::<WasmBacktrace>().map_or_else(String::new, |trace| {
        let text = trace.to_string();
        // The first line is a heading.
        let lines: Vec<String> = text.lines().skip(1).map(|line| escape(line.trim()).into_owned()).collect();
        cut(lines.join("\n"), MAX_BACKTRACE)
    })
}

/// A text of unknown origin as it may stand in a message.
pub(crate) fn shown(text: &str, limit: usize) -> String {
    cut(escape(text).into_owned(), limit)
}

/// Cuts a text to so many bytes, and says so.
pub(crate) fn cut(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("aé".to_owned(), 2), "a…");
        assert_eq!(cut("aé".to_owned(), 3), "aé");
    }

    #[test]
    fn traps_have_short_names() {
        assert_eq!(trap_name(Trap::UnreachableCodeReached), "unreachable");
        assert_eq!(trap_name(Trap::IntegerDivisionByZero), "integer divide by zero");
    }
}
