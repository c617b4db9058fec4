//! Answers with a verb of workflows, outside of any.

use bulkhead_guests::*;

guest!("BATCH", |_| {
    Ok(Outcome::Batch(BatchPlan { cursors: Vec::new(), result: "null".to_owned(), metadata: String::new() }))
});
