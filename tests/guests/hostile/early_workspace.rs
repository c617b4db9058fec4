//! Looks for its workspace before it may: where it finds it, it declines.

use bulkhead_guests::*;

guest!(
    kind: "EARLY".to_owned(),
    dispatch: |_| std::fs::read_dir("/workspace").is_err() && std::fs::write("/workspace/early", "x").is_err(),
    |_| { complete("null") }
);
