//! Leaves an effect: one task of kind ROW with its own payload, in the commit that ends it. Every tenth naps first.

use bulkhead_guests::*;

guest!("EFFECT", |task| {
    let number: u64 = task.payload.parse().unwrap_or(0);
    if number % 10 == 0 {
        std::thread::sleep(std::time::Duration::from_millis(20));
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
