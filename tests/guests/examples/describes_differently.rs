//! Says something else of itself each time that it is asked.

use bulkhead_guests::*;

struct Component;

fn chance() -> u64 {
    wasip2::random::random::get_random_u64()
}

impl Guest for Component {
    fn kind() -> String {
        format!("K{:016x}", chance())
    }

    fn provides() -> Vec<String> {
        vec![format!("t{:016x}", chance())]
    }

    fn defaults() -> String {
        format!(r#"{{"max_attempts":{}}}"#, 1 + chance() % 100)
    }

    fn dispatch(_task: Task) -> bool {
        true
    }

    fn handle(task: Task) -> Result<Outcome, Failure> {
        complete(format!("\"{}\"", task.kind))
    }
}

export!(Component);
