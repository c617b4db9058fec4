//! Sleeps instead of deciding.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        "DECIDESLEEP".to_owned()
    }

    fn provides() -> Vec<String> {
        vec!["cpu".to_owned()]
    }

    fn defaults() -> String {
        "{}".to_owned()
    }

    fn dispatch(_task: Task) -> bool {
        std::thread::sleep(std::time::Duration::from_secs(60));
        true
    }

    fn handle(_task: Task) -> Result<Outcome, Failure> {
        complete("null")
    }
}

export!(Component);
