//! Batches that make a report, and batches that do not.

use bulkhead_sdk::UpstreamEnd;
use bulkhead_sdk::prelude::*;
use bulkhead_sdk::testing::TestTask;
use etl_sales::{Batch, Totals};

use crate::{FILE, Load};

fn batch(start: u64, rows: &[&str]) -> Value {
    let mut totals = Totals::default();
    rows.iter().for_each(|row| totals.add(row.as_bytes()));
    json!(Batch { start, end: start + rows.len() as u64, totals })
}

/// A step that waited for these batches of a file of so many rows.
fn task(rows: u64, batches: &[Value]) -> TestTask {
    let task = TestTask::new(json!({"file": "sales.csv"})).upstream("analyze", json!({"rows": rows}));
    let named = batches.iter().enumerate();
    named.fold(task, |task, (index, batch)| task.upstream(&format!("transform_{index:03}"), batch.clone()))
}

const FIRST: [&str; 2] = ["1,2026-01-31,DE,Lamp,2,10.00", "2,2026-02-01,FR,Desk,1,310.50"];
const SECOND: [&str; 2] = ["3,2026-02-01,DE,Desk,x,1.00", "4,2026-02-02,DE,Lamp,1,10.00"];

#[test]
fn batches_in_any_order_make_one_report_in_the_workspace() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = task(4, &[batch(2, &SECOND), batch(0, &FIRST)]).workspace(folder.path()).run::<Load>();
    let report = run.result();
    assert_eq!((&report["rows"], &report["batches"]), (&json!(4), &json!(2)));
    assert_eq!(report["all"], json!({"sales": 3, "quantity": 4, "cents": 34050}));
    assert_eq!(report["rejected"], json!({"quantity": 1}));
    assert_eq!(report["best_products"][0]["product"], "Desk");
    let written = std::fs::read_to_string(folder.path().join(FILE)).expect("a file");
    assert_eq!(serde_json::from_str::<Value>(&written).expect("JSON"), report);
}

#[test]
fn rows_that_are_missing_or_there_twice_make_no_report() {
    let (first, second) = (batch(0, &FIRST), batch(2, &SECOND));
    for batches in [
        vec![first.clone()],
        vec![second.clone()],
        vec![first.clone(), first.clone(), second.clone()],
        vec![first.clone(), batch(1, &SECOND), second.clone()],
        vec![],
    ] {
        assert_eq!(task(4, &batches).run::<Load>().failure().code, "rows_missing");
    }
    let mut short = second;
    short["totals"]["rows"] = json!(1);
    assert_eq!(task(4, &[first, short]).run::<Load>().failure().code, "rows_missing");
}

#[test]
fn a_batch_that_ended_badly_is_named() {
    let failed = UpstreamEnd::Failed(Failure::permanent("file_changed", "why"));
    let run = task(4, &[batch(0, &FIRST)]).upstream_ended("transform_002", failed).run::<Load>();
    assert_eq!(run.failure().code, "batch_missing");
    assert!(run.failure().message.contains("`transform_002`"), "{:?}", run.failure());
}
