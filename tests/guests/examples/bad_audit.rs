//! Audits by a code that is no code.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        "BADAUDIT".to_owned()
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
        context::audit("Not Snake", "{}");
        complete("null")
    }
}

export!(Component);
