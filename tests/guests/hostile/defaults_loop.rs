//! Never says what it asks for.

use bulkhead_guests::*;

guest!(defaults: forever(), |_| { complete("null") });

fn forever() -> String {
    loop {
        std::hint::black_box(0);
    }
}
