//! Chooses the steps that its payload names, with commas between them.

use bulkhead_guests::*;

guest!("CHOOSE", |task| {
    let names = task.payload.trim_matches('"').split(',').filter(|name| !name.is_empty());
    let steps = names.map(str::to_owned).collect();
    Ok(Outcome::Decide(Decision { steps, result: "\"chosen\"".to_owned(), metadata: String::new() }))
});
