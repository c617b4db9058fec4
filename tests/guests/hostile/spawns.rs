//! Asks for a verb that comes later.

use bulkhead_guests::*;

guest!("SPAWN", |_| { Ok(Outcome::Spawn(Spawn { children: Vec::new(), join: Join::BestEffort, state: None })) });
