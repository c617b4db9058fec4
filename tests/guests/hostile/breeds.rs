//! Submits more tasks than one run may: as many as its payload says.

use bulkhead_guests::*;

guest!("BREED", |task| {
    let child = |_| Child {
        kind: "BREED".to_owned(),
        payload: String::new(),
        requires: Vec::new(),
        name: None,
        delay_ms: None,
        key: None,
        options: None,
    };
    let then = (0..task.payload.parse().unwrap_or(0)).map(child).collect();
    Ok(Outcome::Complete(Completion { result: "null".to_owned(), metadata: String::new(), then }))
});
