//! Submits a task that is to use the workspace that the payload names; `own` is its own.

use bulkhead_guests::*;

guest!("NAMES", |task| {
    let named = task.payload.trim_matches('"');
    let named = if named == "own" { format!("workspace:{}", task.id) } else { named.to_owned() };
    let child = Child {
        kind: "ECHO".to_owned(),
        payload: "null".to_owned(),
        requires: Vec::new(),
        name: None,
        delay_ms: None,
        key: None,
        options: Some(format!("{{\"workspace\":\"{named}\"}}")),
    };
    Ok(Outcome::Complete(Completion { result: "null".to_owned(), metadata: String::new(), then: vec![child] }))
});
