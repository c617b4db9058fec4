//! Takes what the guest `skip` passes on.

use bulkhead_guests::*;

guest!("SKIP", |task| { complete(task.payload) });
