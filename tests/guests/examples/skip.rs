//! Passes the task on.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        "SKIP".to_owned()
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
        Ok(Outcome::Skip("not today".to_owned()))
    }
}

export!(Component);
