//! As `effect`, but for each fifth number the first attempt fails and is to be tried again.

use bulkhead_guests::*;

guest!("EFFECT", |task| {
    let number: u64 = task.payload.parse().unwrap_or(0);
    if number % 10 == 0 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    if number % 5 == 3 && task.attempt == 1 {
        return Err(Failure {
            category: Category::Retryable,
            code: "NOT_YET".to_owned(),
            message: "the first attempt fails".to_owned(),
            retryable: true,
            retry_after_ms: Some(50),
            details: "{}".to_owned(),
        });
    }
    Ok(Outcome::Complete(Completion {
        result: task.payload.clone(),
        metadata: "{}".to_owned(),
        then: vec![Child {
            kind: "ROW".to_owned(),
            payload: task.payload,
            requires: Vec::new(),
            name: None,
            delay_ms: None,
            key: None,
            options: None,
        }],
    }))
});
