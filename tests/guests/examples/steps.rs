//! Does what the `method` of its step says, and answers what it knows of the steps before it.
//!
//! `decide NAME …` chooses steps; `batch COUNT SIZE` cuts COUNT items into ranges; `terminate` ends the workflow;
//! `fail` fails for good, `fail AT` only the range that begins there.

use bulkhead_guests::*;

use context::{Cursor, UpstreamEnd};

guest!("STEP", |task| {
    let Some(step) = context::step() else { return complete("null") };
    let method = step.method.unwrap_or_default();
    let mut words = method.split(' ');
    let verb = words.next().unwrap_or_default();
    let words: Vec<&str> = words.collect();
    let result = known(&task, &step.name, step.cursor.as_ref());
    let number = |place: usize| words.get(place).and_then(|word: &&str| word.parse::<u64>().ok());
    match verb {
        "decide" => {
            let steps = words.iter().map(|word| (*word).to_owned()).collect();
            Ok(Outcome::Decide(Decision { steps, result, metadata: String::new() }))
        }
        "batch" => {
            let (count, size) = (number(0).unwrap_or(0), number(1).unwrap_or(1).max(1));
            let ranges = (0..count.div_ceil(size)).map(|range| Cursor {
                start: range * size,
                end: count.min((range + 1) * size),
                metadata: r#"{"unit":"rows"}"#.to_owned(),
            });
            Ok(Outcome::Batch(BatchPlan { cursors: ranges.collect(), result, metadata: String::new() }))
        }
        "terminate" => {
            let metadata = r#"{"terminate":true}"#.to_owned();
            Ok(Outcome::Complete(Completion { result, metadata, then: Vec::new() }))
        }
        "fail" if number(0).is_none() || step.cursor.is_some_and(|range| Some(range.start) == number(0)) => {
            Err(Failure {
                category: Category::Permanent,
                code: "TOLD_TO".to_owned(),
                message: "it was told to fail".to_owned(),
                retryable: false,
                retry_after_ms: None,
                details: "null".to_owned(),
            })
        }
        _ => complete(result),
    }
});

/// The step, its payload, its settings, its range and how those before it ended.
fn known(task: &Task, name: &str, cursor: Option<&Cursor>) -> String {
    let count = context::upstream_count();
    let upstream: Vec<String> = context::upstream(0, count)
        .into_iter()
        .map(|task| {
            let end = match task.end {
                UpstreamEnd::Succeeded(result) | UpstreamEnd::Resolved(result) => result,
                UpstreamEnd::Failed(failure) => format!("{:?}", failure.code),
                UpstreamEnd::Cancelled => r#""cancelled""#.to_owned(),
                UpstreamEnd::Skipped => r#""skipped""#.to_owned(),
            };
            format!("{:?}:{end}", task.name)
        })
        .collect();
    let range = cursor.map_or("null".to_owned(), |cursor| format!("[{},{}]", cursor.start, cursor.end));
    format!(
        r#"{{"step":{name:?},"payload":{},"settings":{},"range":{range},"upstream":{{{}}}}}"#,
        if task.payload.is_empty() { "null" } else { &task.payload },
        context::settings(),
        upstream.join(",")
    )
}
