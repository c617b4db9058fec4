//! Cuts as many ranges of ten as its payload says; `"backwards"` is one that ends before it starts.

use bulkhead_guests::*;

guest!("BATCH", |task| {
    let count: u64 = task.payload.parse().unwrap_or(0);
    let mut cursors: Vec<Cursor> = (0..count)
        .map(|number| Cursor {
            start: number * 10,
            end: number * 10 + 10,
            metadata: format!(r#"{{"number":{number}}}"#),
        })
        .collect();
    if task.payload == "\"backwards\"" {
        cursors.push(Cursor { start: 2, end: 1, metadata: String::new() });
    }
    Ok(Outcome::Batch(BatchPlan { cursors, result: "\"cut\"".to_owned(), metadata: String::new() }))
});
