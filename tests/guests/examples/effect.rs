//! Work whose traces can be counted: whoever ends it leaves one task of kind ROW with its number, in the same commit.
//!
//! The payload is a number. Every tenth naps, so that it is under way for a while; one in five fails at first; and one in
//! ten has three children of its own kind, and waits for them.

#[path = "../../src/kills/number.rs"]
mod number;

use bulkhead_guests::*;

guest!("EFFECT", |task| {
    let number: usize = task.payload.parse().unwrap_or(0);
    if number % 10 == 0 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    if number::fails_at_first(number) && task.attempt == 1 {
        return Err(Failure {
            category: Category::Retryable,
            code: "NOT_YET".to_owned(),
            message: "it fails at first".to_owned(),
            retryable: true,
            retry_after_ms: Some(1),
            details: "{}".to_owned(),
        });
    }
    let children: Vec<Child> = number::children_of(number).map(|number| child("EFFECT", number)).collect();
    if !children.is_empty() && task.stage == 0 {
        return Ok(Outcome::Spawn(Spawn { children, join: Join::Strict, state: None }));
    }
    let row = child("ROW", number);
    Ok(Outcome::Complete(Completion { result: task.payload, metadata: "{}".to_owned(), then: vec![row] }))
});

fn child(kind: &str, number: usize) -> Child {
    Child {
        kind: kind.to_owned(),
        payload: number.to_string(),
        requires: Vec::new(),
        name: None,
        delay_ms: None,
        key: None,
        options: None,
    }
}
