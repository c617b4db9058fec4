//! Takes so many MiB as its payload says, and gives them back.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        "TAKE".to_owned()
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
        let mebibytes: usize = task.payload.parse().unwrap_or(1);
        let taken = std::hint::black_box(vec![1u8; mebibytes << 20]);
        complete(&taken.len().to_string())
    }
}

export!(Component);
