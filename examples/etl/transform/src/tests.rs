//! A range of rows from its first stage to its end.

use bulkhead_sdk::prelude::*;
use bulkhead_sdk::testing::{TestRun, TestTask};
use bulkhead_sdk::{Cursor, Step};
use etl_sales::{Batch, HEADER, Totals};
use tempfile::TempDir;

use crate::Transform;

const ROWS: [&str; 5] = [
    "1,2026-01-31,DE,Lamp,2,10.00",
    "2,2026-02-01,FR,\"Desk, oak\",1,310.50",
    "3,2026-02-01,DE,Desk,x,1.00",
    "4,2026-02-02,DE,Lamp,1,10.00",
    "5,2026-02-03,AT,Lamp,1,10.00",
];

fn folder(file: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("sales.csv"), file).expect("a file");
    folder
}

fn file() -> String {
    format!("{HEADER}\n{}\n", ROWS.join("\n"))
}

/// The task for the rows [start, end) of [`file`].
fn task(folder: &TempDir, start: usize, end: usize) -> TestTask {
    let from = HEADER.len() + 1 + ROWS[..start].iter().map(|row| row.len() + 1).sum::<usize>();
    let to = from + ROWS[start..end].iter().map(|row| row.len() + 1).sum::<usize>();
    let cursor = Cursor { start: start as u64, end: end as u64, metadata: json!({"from": from, "to": to}) };
    TestTask::new(json!({"file": "sales.csv"})).workspace(folder.path()).settings(json!({"checkpoint_rows": 2})).step(
        Step {
            workflow_id: "w".to_owned(),
            workflow: "etl".to_owned(),
            name: "transform_001".to_owned(),
            method: None,
            cursor: Some(cursor),
        },
    )
}

fn totals(rows: &[&str]) -> Totals {
    let mut totals = Totals::default();
    rows.iter().for_each(|row| totals.add(row.as_bytes()));
    totals
}

fn kept(run: &TestRun) -> (Value, u64, Option<u64>) {
    match &run.outcome {
        Ok(Outcome::Checkpoint { state, processed, total }) => (state.clone(), *processed, *total),
        other => panic!("{other:?}"),
    }
}

#[test]
fn rows_are_added_up_some_at_a_time() {
    let folder = folder(&file());
    let (first, processed, total) = kept(&task(&folder, 0, 5).run::<Transform>());
    assert_eq!((processed, total, &first["row"]), (2, Some(5), &json!(2)));
    let (second, processed, _) = kept(&task(&folder, 0, 5).resumed(1, first.clone()).run::<Transform>());
    assert_eq!(processed, 4);
    let end = task(&folder, 0, 5).resumed(2, second).run::<Transform>().result();
    assert_eq!(end, json!(Batch { start: 0, end: 5, totals: totals(&ROWS) }));
    // A run that was lost is run again from the same checkpoint, and comes to the same.
    assert_eq!(kept(&task(&folder, 0, 5).resumed(1, first).run::<Transform>()).1, 4);
}

#[test]
fn a_range_is_read_from_its_place_to_its_end() {
    let folder = folder(&file());
    let end = task(&folder, 1, 3).run::<Transform>().result();
    assert_eq!(end, json!(Batch { start: 1, end: 3, totals: totals(&ROWS[1..3]) }));
}

#[test]
fn a_file_that_was_changed_meanwhile_is_no_work_for_another_attempt() {
    for changed in [format!("{HEADER}\n{}\n", ROWS[0]), file().replace("Lamp", "Lamps")] {
        let run = task(&folder(&changed), 3, 5).run::<Transform>();
        assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("file_changed", false));
    }
}

#[test]
fn a_task_without_a_range_is_refused() {
    let run = TestTask::new(json!({"file": "sales.csv"})).run::<Transform>();
    assert_eq!(run.failure().code, "no_range");
}
