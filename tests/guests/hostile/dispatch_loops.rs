//! Never decides.

use bulkhead_guests::*;

guest!(kind: "DECIDE".to_owned(), dispatch: |_| forever(), |_| { complete("null") });

fn forever() -> bool {
    loop {
        std::hint::black_box(0);
    }
}
