//! As `effect`, but for each fifth number the first attempt fails and is to be tried again.

use bulkhead_guests::*;

guest!("EFFECT", |task| {
    if napping_number(&task) % 5 == 3 && task.attempt == 1 {
        return Err(Failure {
            category: Category::Retryable,
            code: "NOT_YET".to_owned(),
            message: "the first attempt fails".to_owned(),
            retryable: true,
            retry_after_ms: Some(50),
            details: "{}".to_owned(),
        });
    }
    effect(task)
});
