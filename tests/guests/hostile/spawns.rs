//! Spawns too much: as many children as its payload says, or, where that is 0, one like itself, for ever.

use bulkhead_guests::*;

guest!("SPAWN", |task| {
    let child = |payload: &str| Child {
        kind: "SPAWN".to_owned(),
        payload: payload.to_owned(),
        requires: Vec::new(),
        name: None,
        delay_ms: None,
        key: None,
        options: None,
    };
    let (children, join) = match task.payload.parse().unwrap_or(0) {
        0 => (vec![child("0")], Join::Strict),
        count => (vec![child("1"); count], Join::BestEffort),
    };
    Ok(Outcome::Spawn(Spawn { children, join, state: None }))
});
