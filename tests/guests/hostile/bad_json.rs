//! Answers what is no JSON: by its payload, single quotes, half a surrogate pair, or brackets a hundred thousand deep.

use bulkhead_guests::*;

guest!("BADJSON", |task| {
    match task.payload.as_str() {
        "2" => complete(r#""\ud800""#),
        "3" => complete("[".repeat(100_000) + &"]".repeat(100_000)),
        _ => complete("{'single': quotes}"),
    }
});
