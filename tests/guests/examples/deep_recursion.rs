//! Calls itself for ever.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        "DEEP".to_owned()
    }

    fn provides() -> Vec<String> {
        vec!["cpu".to_owned()]
    }

    fn defaults() -> String {
        "{}".to_owned()
    }

    fn dispatch(_task: Task) -> bool {
        true
    }

    fn handle(_task: Task) -> Result<Outcome, Failure> {
        complete(&descend(1).to_string())
    }
}

export!(Component);

/// Next to nothing in the guest's own memory, so that the host's stack ends first.
#[inline(never)]
fn descend(depth: u64) -> u64 {
    if depth == u64::MAX { 0 } else { std::hint::black_box(descend(depth + 1)) + 1 }
}
