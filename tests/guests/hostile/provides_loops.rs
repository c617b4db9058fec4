//! Never says what it provides.

use bulkhead_guests::*;

guest!(provides: forever(), |_| { complete("null") });

fn forever() -> Vec<String> {
    loop {
        std::hint::black_box(0);
    }
}
