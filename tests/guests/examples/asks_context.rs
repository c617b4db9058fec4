//! Answers what `context` says of the run.

use bulkhead_guests::*;

guest!("ASK", |task| {
    let text = |value: Option<String>| value.map_or("null".to_owned(), |value| format!("{value:?}"));
    let tags: Vec<String> = context::tags().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    complete(&format!(
        r#"{{"key":{:?},"tenant":{},"tags":{tags:?},"traceparent":{},"settings":{},"state":{},"upstream":{},"resumed":{},"step":{},"cancelled":{},"ms":{},"fuel":{},"task":[{:?},{:?},{:?},{},{},{}]}}"#,
        context::idempotency_key(),
        text(context::tenant()),
        text(context::traceparent()),
        context::settings(),
        context::state().unwrap_or("null".to_owned()),
        context::upstream_count() as usize
            + context::upstream(0, 10).len()
            + usize::from(context::upstream_named("a").is_some()),
        context::resumption().is_some(),
        context::step().map_or("false".to_owned(), |step| {
            let cursor = step.cursor.map(|cursor| (cursor.start, cursor.end, cursor.metadata));
            format!(
                "{:?}",
                format!("{} {} {} {:?} {cursor:?}", step.workflow_id, step.workflow, step.name, step.method)
            )
        }),
        context::cancelled(),
        context::remaining_ms(),
        context::remaining_fuel(),
        task.id,
        task.kind,
        task.requires,
        task.attempt,
        task.max_attempts,
        task.stage,
    ))
});
