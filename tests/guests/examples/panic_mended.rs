//! What `panic` is once somebody has mended it.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        "PANIC".to_owned()
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

    fn handle(task: Task) -> Result<Outcome, Failure> {
        complete(task.payload)
    }
}

export!(Component);
