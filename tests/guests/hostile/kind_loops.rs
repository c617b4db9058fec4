//! Never says its kind.

use bulkhead_guests::*;

guest!(kind: forever(), |_| { complete("null") });

fn forever() -> String {
    loop {
        std::hint::black_box(0);
    }
}
