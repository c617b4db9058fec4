//! Logs, prints, reports progress and audits.

use bulkhead_guests::*;

guest!("SAYS", |_| {
    context::log(context::Level::Warn, "one\nline \u{1b}[31m\0", r#"{"a":1}"#);
    println!("out");
    eprint!("no line end");
    context::report_progress(&context::Progress {
        stage: "half".to_owned(),
        text: "half way".to_owned(),
        fraction: Some(0.5),
        metadata: "{}".to_owned(),
    });
    context::audit("cart_emptied", "{}");
    complete("null")
});
