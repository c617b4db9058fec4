//! Gives its payload back.

use bulkhead_guests::*;

guest!("ECHO", |task| { complete(task.payload) });
