//! Logs, reports progress and audits; sleeps in between for as many milliseconds as its payload says.

use bulkhead_guests::*;

use context::{Level, Progress};

guest!("TELL", |task| {
    let progress = |fraction: f64| {
        context::report_progress(&Progress {
            stage: "counting".to_owned(),
            text: format!("{} of 2", fraction * 2.0),
            fraction: Some(fraction),
            metadata: String::new(),
        });
    };
    context::log(Level::Info, "it begins", r#"{"of":2}"#);
    println!("plain words");
    progress(0.5);
    context::audit("first_half_done", r#"{"n":1}"#);
    std::thread::sleep(std::time::Duration::from_millis(task.payload.parse().unwrap_or(0)));
    progress(1.0);
    context::audit("second_half_done", "");
    complete("null")
});
