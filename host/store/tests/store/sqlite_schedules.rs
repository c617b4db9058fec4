//! Schedules in a database that others have written to.

use bulkhead_store::{ScheduleChange, ScheduleFate, StoreError, TaskFilter};

use crate::harness::{Engine, after_start, json, seconds, task};
use crate::schedules::{ask, name, put, submission, view};
use crate::sqlite_engine::Sqlite;

#[tokio::test]
async fn schedules_that_cannot_be_read_are_left_alone() {
    let engine = Sqlite::start().await;
    assert_eq!(put(&engine, submission(r#""every":"5s""#), false).await, ScheduleFate::Added);
    let column = "CASE WHEN name = 'a' THEN 'nonsense' WHEN name = 'b' THEN '{\"name\":\"b\"}' ELSE submission END";
    engine
        .sql()
        .execute_batch(&format!(
            "WITH names(name) AS (VALUES ('a'), ('b'), ('c'), ('No name')) INSERT INTO schedules \
             SELECT names.name, made_at, 0, look_at, iif(names.name = 'c', x'ff', progress), NULL, NULL, {column} \
             FROM schedules, names",
            column = column.replace("name =", "names.name =")
        ))
        .unwrap();
    let rows = |engine: &Sqlite| -> Vec<(String, String, rusqlite::types::Value)> {
        let sql = engine.sql();
        let mut rows = sql.prepare("SELECT name, submission, progress FROM schedules WHERE name <> 's'").unwrap();
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    let before = rows(&engine);
    let engine = engine.reopen().await;
    engine.advance(seconds(5)).await;
    let mut worker = engine.worker(9).await;
    assert_eq!(worker.claimed().await.len(), 1);
    worker.assert_idle(&engine).await;
    assert_eq!(rows(&engine), before);
    let listed = engine.store().schedules().await.unwrap();
    assert_eq!(listed.iter().map(|seen| seen.name.as_str()).collect::<Vec<_>>(), ["s"]);
    let error = engine.store().schedule(&name("b")).await.unwrap_err();
    assert!(matches!(&error, StoreError::Database(why) if why.contains("`b`")), "{error}");
    // They can be taken away, or written anew.
    assert_eq!(ask(&engine, ScheduleChange::Remove(name("a"))).await, ScheduleFate::Done);
    let mut anew = submission(r#""every":"5s""#);
    anew.name = name("b");
    assert_eq!(put(&engine, anew, true).await, ScheduleFate::Replaced);
}

#[tokio::test]
async fn a_thousand_schedules_are_enough() {
    let engine = Sqlite::start().await;
    put(&engine, submission(r#""every":"5s""#), false).await;
    let copies = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999) INSERT INTO schedules \
        SELECT 'n' || i, made_at, 0, look_at, progress, NULL, NULL, replace(submission, '\"s\"', '\"n' || i || '\"') \
        FROM schedules, n";
    engine.sql().execute_batch(copies).unwrap();
    let mut more = submission(r#""every":"5s""#);
    more.name = name("more");
    assert_eq!(put(&engine, more, false).await, ScheduleFate::TooMany);
    // All of them tick in the same second.
    let engine = engine.reopen().await;
    engine.advance(seconds(5)).await;
    while engine.store().count(TaskFilter::default()).await.unwrap() < 1_000 {
        engine.settle().await;
    }
    assert_eq!(engine.store().schedules().await.unwrap().len(), 1_000);
    engine.settle().await;
    assert_eq!(engine.store().count(TaskFilter::default()).await.unwrap(), 1_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tick_on_a_full_disk_is_made_once_there_is_room() {
    let engine = Sqlite::start_with(Some(400));
    let text = |size: usize| format!("\"{}\"", "x".repeat(size));
    let mut large = submission(r#""every":"1h""#);
    large.task.payload = json(&text(60_000));
    assert_eq!(put(&engine, large, false).await, ScheduleFate::Added);
    let sql = engine.sql();
    let ballast = "CREATE TABLE ballast AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) \
        SELECT i, zeroblob(4000) AS bytes FROM n";
    sql.execute_batch(ballast).unwrap();
    while let Ok(accepted) = engine.store().submit(vec![task("B", &text(40_000))]).await {
        accepted.unwrap();
    }
    engine.advance(seconds(3_600)).await;
    assert_eq!(view(&engine).await.last, None);
    sql.execute_batch("DROP TABLE ballast").unwrap();
    engine.advance(seconds(10)).await;
    let seen = view(&engine).await;
    assert_eq!(seen.last.map(|last| last.tick), Some(after_start(seconds(3_600))));
    assert!(seen.running.is_some());
}
