//! Asks for a verb that comes later.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        "SPAWN".to_owned()
    }

    fn provides() -> Vec<String> {
        vec!["cpu".to_owned()]
    }

    fn defaults() -> String {
        "{}".to_owned()
    }

    fn dispatch(_task: Task) -> bool {
        true
    }

    fn handle(_task: Task) -> Result<Outcome, Failure> {
        Ok(Outcome::Spawn(Spawn { children: Vec::new(), join: Join::BestEffort, state: None }))
    }
}

export!(Component);
