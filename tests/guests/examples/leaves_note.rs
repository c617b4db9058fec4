//! Leaves a note in its workspace and fails, and in its next attempt answers whether it found it.

use bulkhead_guests::*;

guest!("NOTE", |task| {
    let found = std::fs::read_to_string("/workspace/note").is_ok();
    std::fs::write("/workspace/note", "here").expect("the workspace is there");
    if task.attempt == 1 {
        return Err(Failure {
            category: Category::Retryable,
            code: "NOT_YET".to_owned(),
            message: "it fails at first".to_owned(),
            retryable: true,
            retry_after_ms: Some(1),
            details: "{}".to_owned(),
        });
    }
    complete(if found { "\"found\"" } else { "\"nothing\"" })
});
