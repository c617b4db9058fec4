//! How a container ended.

use bollard::models::ContainerState;
use bulkhead_core::{Exit, Usage};

use crate::cgroup::Used;
use crate::output::Output;

/// How it ended, from what the engine says and what was read of it.
pub(crate) fn exit(state: &ContainerState, used: Used, output: Output) -> Exit {
    let code = i32::try_from(state.exit_code.unwrap_or(-1)).unwrap_or(-1);
    let noticed = state.oom_killed == Some(true) || used.out_of_memory > 0;
    Exit {
        code,
        stdout: output.stdout,
        stderr: output.stderr,
        truncated: output.truncated,
        // A program whose child was killed and that ends well all the same did not end because of it.
        out_of_memory: noticed && code != 0,
        usage: Usage {
            wall_ms: wall(state).unwrap_or(0),
            cpu_ms: used.cpu_ns / 1_000_000,
            peak_memory_bytes: used.peak_memory,
        },
    }
}

/// Milliseconds from start to end, as the engine noted them.
fn wall(state: &ContainerState) -> Option<u64> {
    let at = |text: &Option<String>| text.as_deref()?.parse::<jiff::Timestamp>().ok();
    let length = at(&state.finished_at)?.duration_since(at(&state.started_at)?);
    u64::try_from(length.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(code: i64, oom_killed: bool) -> ContainerState {
        ContainerState {
            exit_code: Some(code),
            oom_killed: Some(oom_killed),
            started_at: Some("2026-01-02T03:04:05.000000001Z".to_owned()),
            finished_at: Some("2026-01-02T03:04:06.5Z".to_owned()),
            ..ContainerState::default()
        }
    }

    #[test]
    fn the_engines_times_and_the_counters_make_the_usage() {
        let used = Used { cpu_ns: 7_900_000, peak_memory: 42, out_of_memory: 0 };
        let exit = exit(&state(3, false), used, Output::new(0));
        assert_eq!((exit.code, exit.out_of_memory), (3, false));
        assert_eq!(exit.usage, Usage { wall_ms: 1499, cpu_ms: 7, peak_memory_bytes: 42 });
    }

    #[test]
    fn memory_that_ran_out_is_noticed_by_engine_or_kernel_where_the_program_did_not_end_well() {
        let killed = Used { out_of_memory: 1, ..Used::default() };
        assert!(exit(&state(137, true), Used::default(), Output::new(0)).out_of_memory);
        assert!(exit(&state(137, false), killed, Output::new(0)).out_of_memory);
        assert!(!exit(&state(0, true), killed, Output::new(0)).out_of_memory);
        assert!(!exit(&state(137, false), Used::default(), Output::new(0)).out_of_memory);
    }
}
