//! Keeps its progress.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        "CHECK".to_owned()
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
        Ok(Outcome::Checkpoint(Checkpoint { state: r#"{"page":7}"#.to_owned(), processed: 7, total: Some(9) }))
    }
}

export!(Component);
