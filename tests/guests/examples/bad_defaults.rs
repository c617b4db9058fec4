//! Asks for an option that there is not.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        "DEFAULTS".to_owned()
    }

    fn provides() -> Vec<String> {
        vec!["cpu".to_owned()]
    }

    fn defaults() -> String {
        r#"{"timout":"5s"}"#.to_owned()
    }

    fn dispatch(_task: Task) -> bool {
        true
    }

    fn handle(_task: Task) -> Result<Outcome, Failure> {
        complete("null")
    }
}

export!(Component);
