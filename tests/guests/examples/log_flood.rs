//! Logs a line of 1 KiB so often as its payload says, by `log` and by standard output in turn.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        "FLOOD".to_owned()
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
        let lines: usize = task.payload.parse().unwrap_or(1);
        let line = "x".repeat(1024);
        for number in 0..lines {
            if number % 2 == 0 {
                context::log(context::Level::Info, &line, "{}");
            } else {
                println!("{line}");
            }
        }
        complete("null")
    }
}

export!(Component);
