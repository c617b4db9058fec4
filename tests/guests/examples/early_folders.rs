//! Asks which folders there are in `dispatch`, as runtimes do that ask only once, and reads its workspace in `handle`:
//! what each of them could read of `/workspace/note`.

use std::sync::OnceLock;

use bulkhead_guests::*;

static EARLY: OnceLock<Option<String>> = OnceLock::new();

fn note() -> Option<String> {
    std::fs::read_to_string("/workspace/note").ok()
}

guest!(
    kind: "EARLY_FOLDERS".to_owned(),
    dispatch: |_| {
        let _ = EARLY.set(note());
        true
    },
    |_| { complete(format!("{:?}", [EARLY.get().cloned().flatten(), note()].map(Option::unwrap_or_default))) }
);
