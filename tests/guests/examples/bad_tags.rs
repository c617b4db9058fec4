//! Provides ten thousand tags.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        "TAGS".to_owned()
    }

    fn provides() -> Vec<String> {
        (0..10_000).map(|number| format!("tag{number}")).collect()
    }

    fn defaults() -> String {
        "{}".to_owned()
    }

    fn dispatch(_task: Task) -> bool {
        true
    }

    fn handle(_task: Task) -> Result<Outcome, Failure> {
        complete("null")
    }
}

export!(Component);
