//! Fails as its payload says: `{"retryable": …}`, or with a message of so many bytes.

use bulkhead_guests::*;

guest!("FAIL", |task| {
    let bytes: usize = task.payload.parse().unwrap_or(9);
    Err(Failure {
        category: Category::Validation,
        code: "EMPTY_CART".to_owned(),
        message: "m".repeat(bytes),
        retryable: true,
        retry_after_ms: Some(1500),
        details: r#"{"items":0}"#.to_owned(),
    })
});
