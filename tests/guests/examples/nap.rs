//! Sleeps for so many milliseconds as its payload says.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        "NAP".to_owned()
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

    fn handle(task: Task) -> Result<Outcome, Failure> {
        let millis: u64 = task.payload.parse().unwrap_or(1);
        std::thread::sleep(std::time::Duration::from_millis(millis));
        complete("null")
    }
}

export!(Component);
