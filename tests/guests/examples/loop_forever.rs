//! Never ends by itself.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        "LOOP".to_owned()
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
        let mut round = 0u64;
        loop {
            round = std::hint::black_box(round.wrapping_add(1));
            if round == u64::MAX {
                return complete("null");
            }
        }
    }
}

export!(Component);
