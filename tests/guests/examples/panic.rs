//! Panics.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        "PANIC".to_owned()
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
        let digits: usize = task.payload.len();
        burst(digits)
    }
}

export!(Component);

#[inline(never)]
fn burst(digits: usize) -> Result<Outcome, Failure> {
    panic!("burst with {digits} bytes")
}
