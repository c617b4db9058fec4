//! Calls the host for ever: `context` where its payload is 1, a clock of WASI else.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        "CALLS".to_owned()
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
        let own = task.payload == "1";
        loop {
            if own {
                std::hint::black_box(context::cancelled());
            } else {
                std::hint::black_box(std::time::Instant::now());
            }
            if task.payload == "0" {
                return complete("null");
            }
        }
    }
}

export!(Component);
