//! Never says its kind.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        loop {
            std::hint::black_box(0);
        }
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
