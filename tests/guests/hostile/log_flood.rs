//! Logs a line of 1 KiB so often as its payload says, by `log` and by standard output in turn.

use bulkhead_guests::*;

guest!("FLOOD", |task| {
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
});
