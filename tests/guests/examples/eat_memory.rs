//! Takes memory until there is none.

use bulkhead_guests::*;
struct Component;

impl Guest for Component {
    fn kind() -> String {
        "EAT".to_owned()
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
        let mut eaten: Vec<Vec<u8>> = Vec::new();
        loop {
            eaten.push(std::hint::black_box(vec![1u8; 1 << 20]));
            if eaten.len() == usize::MAX {
                return complete("null");
            }
        }
    }
}

export!(Component);
