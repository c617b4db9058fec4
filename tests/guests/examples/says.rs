//! Logs, prints, reports progress and audits.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        "SAYS".to_owned()
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
    }
}

export!(Component);
