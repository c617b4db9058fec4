//! Answers what is no JSON.

use bulkhead_guests::*;

guest!("BADJSON", |_| { complete("{'single': quotes}") });
