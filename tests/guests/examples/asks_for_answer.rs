//! Waits for an answer, at most as many milliseconds as its payload says, and answers with it.

use bulkhead_guests::*;

use context::Answer;

guest!("APPROVE", |task| {
    match context::resumption() {
        Some(Answer::Given(answer)) => complete(format!(r#"{{"answer":{answer},"stage":{}}}"#, task.stage)),
        Some(Answer::TimedOut) => complete(r#""nobody answered""#),
        None => Ok(Outcome::Suspend(Suspension {
            reason: "may it go on?".to_owned(),
            metadata: r#"{"amount":7}"#.to_owned(),
            state: None,
            timeout_ms: task.payload.parse().ok(),
        })),
    }
});
