//! Spawns children of the kinds that its payload names, and answers how they ended. The payload is lines: the join
//! (`best`, `strict`, a number, or `critical NAME …`), then `KIND PAYLOAD` for each child, which is called `c0`, `c1` ….

use bulkhead_guests::*;

use context::UpstreamEnd;

guest!("FAMILY", |task| {
    if task.stage > 0 {
        return complete(told());
    }
    let text = task.payload.trim_matches('"').replace("\\n", "\n").replace("\\\"", "\"");
    let mut lines = text.lines();
    let join = match lines.next().unwrap_or_default() {
        "best" => Join::BestEffort,
        "strict" => Join::Strict,
        other => match (other.parse(), other.strip_prefix("critical ")) {
            (Ok(needed), _) => Join::AtLeast(needed),
            (_, names) => Join::Critical(names.unwrap_or_default().split(' ').map(str::to_owned).collect()),
        },
    };
    let child = |(number, line): (usize, &str)| {
        let (kind, payload) = line.split_once(' ').unwrap_or((line, "null"));
        Child {
            kind: kind.to_owned(),
            payload: payload.to_owned(),
            requires: Vec::new(),
            name: Some(format!("c{number}")),
            delay_ms: None,
            key: None,
            options: None,
        }
    };
    let children = lines.enumerate().map(child).collect();
    Ok(Outcome::Spawn(Spawn { children, join, state: Some(r#""kept""#.to_owned()) }))
});

/// What the second stage knows.
fn told() -> String {
    let count = context::upstream_count();
    let mut ends = Vec::new();
    while (ends.len() as u32) < count {
        ends.extend(context::upstream(ends.len() as u32, 2));
    }
    let ends: Vec<String> = ends
        .into_iter()
        .map(|task| {
            let end = match task.end {
                UpstreamEnd::Succeeded(result) => format!(r#"{{"succeeded":{result}}}"#),
                UpstreamEnd::Resolved(result) => format!(r#"{{"resolved":{result}}}"#),
                UpstreamEnd::Failed(failure) => format!(r#"{{"failed":{:?}}}"#, failure.code),
                UpstreamEnd::Cancelled => r#""cancelled""#.to_owned(),
                UpstreamEnd::Skipped => r#""skipped""#.to_owned(),
            };
            format!("[{:?},{end}]", task.name)
        })
        .collect();
    let named = context::upstream_named("c0").is_some();
    format!(
        r#"{{"ends":[{}],"named":{named},"nobody":{},"state":{}}}"#,
        ends.join(","),
        context::upstream_named("nobody").is_some(),
        context::state().unwrap_or("null".to_owned())
    )
}
