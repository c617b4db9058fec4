//! Asks for options and for tags.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        "WITH".to_owned()
    }

    fn provides() -> Vec<String> {
        vec!["llm".to_owned(), "cpu".to_owned()]
    }

    fn defaults() -> String {
        r#"{"timeout":"5s","memory":"8MiB"}"#.to_owned()
    }

    fn dispatch(_task: Task) -> bool {
        true
    }

    fn handle(_task: Task) -> Result<Outcome, Failure> {
        complete("null")
    }
}

export!(Component);
