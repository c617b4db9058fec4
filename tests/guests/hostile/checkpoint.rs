//! Keeps its progress.

use bulkhead_guests::*;

guest!("CHECK", |_| {
    Ok(Outcome::Checkpoint(Checkpoint { state: r#"{"page":7}"#.to_owned(), processed: 7, total: Some(9) }))
});
