//! Sleeps for a day.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        "SLEEP".to_owned()
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
        std::thread::sleep(std::time::Duration::from_secs(24 * 3600));
        complete("null")
    }
}

export!(Component);
