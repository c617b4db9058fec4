//! Has a kind that is none.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        "two words\u{7}".to_owned()
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
        complete("null")
    }
}

export!(Component);
