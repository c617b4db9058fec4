//! Never decides.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        "DECIDE".to_owned()
    }

    fn provides() -> Vec<String> {
        vec!["cpu".to_owned()]
    }

    fn defaults() -> String {
        "{}".to_owned()
    }

    fn dispatch(_task: Task) -> bool {
        loop {
            std::hint::black_box(0);
        }
    }

    fn handle(_task: Task) -> Result<Outcome, Failure> {
        complete("null")
    }
}

export!(Component);
