//! Sleeps when it is asked for its kind.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        std::thread::sleep(std::time::Duration::from_secs(3600));
        "X".to_owned()
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
