//! Leaves an effect: one task of kind ROW with its own payload, in the commit that ends it. Every tenth naps first.

use bulkhead_guests::*;

guest!("EFFECT", |task| {
    napping_number(&task);
    effect(task)
});
