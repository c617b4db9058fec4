//! Files that are cut, and files that are refused.

use bulkhead_sdk::prelude::*;
use bulkhead_sdk::testing::{TestRun, TestTask};
use etl_sales::HEADER;

use crate::Analyze;

/// Cuts a file into batches of so many rows.
fn cut(file: &str, batch_size: u64) -> TestRun {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("sales.csv"), file).expect("a file");
    TestTask::new(json!({"file": "sales.csv"}))
        .settings(json!({"batch_config": {"batch_size": batch_size}}))
        .workspace(folder.path())
        .run::<Analyze>()
}

/// The rows of each range, and the text that its bytes are.
fn ranges<'a>(run: &TestRun, file: &'a str) -> Vec<(u64, u64, &'a str)> {
    let Ok(Outcome::Batch(plan)) = &run.outcome else { panic!("{:?}", run.outcome) };
    let at = |value: &Value| usize::try_from(value.as_u64().expect("a number")).expect("a place");
    let text = |metadata: &Value| &file[at(&metadata["from"])..at(&metadata["to"])];
    plan.cursors.iter().map(|cursor| (cursor.start, cursor.end, text(&cursor.metadata))).collect()
}

#[test]
fn a_file_is_cut_at_the_ends_of_rows() {
    let file = format!("{HEADER}\na\nbb\nccc\ndddd\ne\n");
    let run = cut(&file, 2);
    assert_eq!(ranges(&run, &file), [(0, 2, "a\nbb\n"), (2, 4, "ccc\ndddd\n"), (4, 5, "e\n")]);
    let Ok(Outcome::Batch(plan)) = &run.outcome else { panic!("{:?}", run.outcome) };
    assert_eq!(plan.result, json!({"rows": 5, "bytes": file.len(), "batches": 3}));
}

#[test]
fn a_last_row_without_an_end_is_a_row() {
    let file = format!("{HEADER}\na\nb");
    assert_eq!(ranges(&cut(&file, 2), &file), [(0, 2, "a\nb")]);
    assert_eq!(ranges(&cut(&file, 1), &file), [(0, 1, "a\n"), (1, 2, "b")]);
}

#[test]
fn a_file_without_rows_has_no_ranges() {
    let file = format!("{HEADER}\n");
    assert_eq!(ranges(&cut(&file, 2), &file), []);
}

#[test]
fn a_file_with_other_columns_or_none_is_refused() {
    for file in ["", "a,b\n1,2\n"] {
        assert_eq!(cut(file, 2).failure().code, "bad_header");
    }
}

#[test]
fn a_file_that_is_not_there_is_no_work_for_another_attempt() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = TestTask::new(json!({"file": "sales.csv"}))
        .settings(json!({"batch_config": {"batch_size": 2}}))
        .workspace(folder.path())
        .run::<Analyze>();
    assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("no_file", false));
}

#[test]
fn more_batches_than_a_step_may_have_are_refused() {
    let file = format!("{HEADER}\n{}", "a\n".repeat(10_001));
    assert_eq!(cut(&file, 1).failure().code, "too_many_batches");
    assert_eq!(cut(&file, 0).failure().code, "bad_settings");
}
