//! Answers a string of so many bytes as its payload says.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        "BIG".to_owned()
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
        let bytes: usize = task.payload.parse().unwrap_or(1);
        complete(&format!("\"{}\"", "x".repeat(bytes)))
    }
}

export!(Component);
