//! What only a database in a file can show.

use std::fs;

use bulkhead_core::{NextStep, State};
use bulkhead_store::sqlite::{self, SCHEMA_VERSION, SqliteSettings};
use bulkhead_store::{CommitFate, DatabaseStore, Delivery, Store, StoreError};

use crate::harness::{Engine, seconds, succeeded, task};
use crate::sqlite_engine::Sqlite;

fn open(engine: &Sqlite) -> Result<DatabaseStore, StoreError> {
    sqlite::open(engine.settings())
}

#[tokio::test]
async fn a_store_in_use_names_its_holder() {
    let engine = Sqlite::start().await;
    let StoreError::InUse { path, holder } = open(&engine).unwrap_err() else { panic!("opened twice") };
    assert_eq!((path, holder), (engine.path(), Some(std::process::id())));
}

#[tokio::test]
async fn a_newer_schema_is_refused_unless_it_is_compatible() {
    let mut engine = Sqlite::start().await;
    engine.store.take().unwrap().close().await.unwrap();
    let newer = SCHEMA_VERSION + 1;
    let set = |name: &str| {
        let sql = engine.sql();
        sql.execute("UPDATE meta SET value = ?2 WHERE name = ?1", rusqlite::params![name, newer]).unwrap();
    };
    set("schema_version");
    drop(open(&engine).unwrap());
    set("min_compatible");
    let error = open(&engine).unwrap_err();
    assert!(
        matches!(error, StoreError::NewerSchema { found, known, .. } if (found, known) == (newer, SCHEMA_VERSION)),
        "{error}"
    );
}

#[tokio::test]
async fn what_is_no_store_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    fs::write(&text, "these are somebody's notes, not a database, and long enough to look like one\n".repeat(100))
        .unwrap();
    let before = fs::read(&text).unwrap();
    let error = sqlite::open(SqliteSettings::at(&text)).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert_eq!(fs::read(&text).unwrap(), before);

    let foreign = folder.path().join("foreign.db");
    rusqlite::Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE albums (name TEXT)").unwrap();
    let error = sqlite::open(SqliteSettings::at(&foreign)).unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt { reason, .. } if reason.contains("another program")), "{error}");
}

#[tokio::test]
async fn a_damaged_store_is_called_corrupt() {
    let mut engine = Sqlite::start().await;
    engine.submit((0..200).map(|number| task("A", &number.to_string())).collect()).await;
    engine.store.take().unwrap().close().await.unwrap();
    let mut bytes = fs::read(engine.path()).unwrap();
    bytes[4096..].fill(0x5a);
    fs::write(engine.path(), bytes).unwrap();
    let error = open(&engine).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_read_only() {
    // The superuser may write anywhere but there.
    let error = sqlite::open(SqliteSettings::at("/sys/bulkhead.db")).unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
    let error = sqlite::open(SqliteSettings::at("/nowhere/at/all/bulkhead.db")).unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
}

#[tokio::test]
async fn a_copy_of_the_files_taken_while_running_is_whole() {
    let engine = Sqlite::start().await;
    let ids = engine.submit(vec![task("A", "1"), task("A", "2")]).await;
    let mut worker = engine.worker(2).await;
    let claimed = worker.claimed().await;
    worker.commit(succeeded(&claimed[0]), 0).await;
    let mut copy = Sqlite::start_with(None);
    drop(copy.store.take());
    for suffix in ["", "-wal"] {
        let name = format!("store.db{suffix}");
        fs::copy(engine.folder.path().join(&name), copy.folder.path().join(&name)).unwrap();
    }
    let _ = fs::remove_file(copy.folder.path().join("store.db-shm"));
    copy.open();
    assert_eq!(copy.get(&ids[0].id).await.state, State::Succeeded);
    assert_eq!(copy.get(&ids[1].id).await.reason.as_deref(), Some("worker_lost"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn submits_that_wait_together_share_a_transaction() {
    let engine = Sqlite::start().await;
    engine.submit_one(task("A", "0")).await;
    let log = || fs::metadata(engine.folder.path().join("store.db-wal")).unwrap().len();
    let blocker = engine.sql();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let before = log();
    let submits = (0..100).map(|number| engine.submit(vec![task("A", &number.to_string())]));
    let mut submits = Box::pin(futures_join(submits));
    // Polled once, so that all of them are in the queue before the writer may begin.
    assert!(futures_poll(&mut submits).await.is_none());
    blocker.execute_batch("ROLLBACK").unwrap();
    submits.await;
    // Apart, each would have written at least the pages of the task, its place, and the tables' own.
    let pages = (log() - before) / 4096;
    assert!(pages < 100, "{pages} pages");
}

type Submits<'a> = Vec<std::pin::Pin<Box<dyn Future<Output = ()> + 'a>>>;

async fn futures_join<'a, T: 'a>(submits: impl Iterator<Item = impl Future<Output = T> + 'a>) {
    let mut submits: Submits<'a> = submits
        .map(|submit| Box::pin(async { drop(submit.await) }) as std::pin::Pin<Box<_>>)
        .map(|one| one as _)
        .collect();
    std::future::poll_fn(|context| {
        submits.retain_mut(|submit| submit.as_mut().poll(context).is_pending());
        if submits.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| match std::pin::Pin::new(&mut *future).poll(context) {
        std::task::Poll::Ready(output) => std::task::Poll::Ready(Some(output)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_submits_and_keeps_commits() {
    let engine = Sqlite::start_with(Some(400));
    let sql = engine.sql();
    sql.execute_batch(
        "CREATE TABLE ballast AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) \
         SELECT i, zeroblob(4000) AS bytes FROM n",
    )
    .unwrap();
    engine.submit((0..10).map(|number| task("A", &number.to_string())).collect()).await;
    let mut worker = engine.worker(5).await;
    let claimed = worker.claimed().await;
    // Large payloads until the disk is full.
    let large = format!("\"{}\"", "x".repeat(100_000));
    let mut full = false;
    for _ in 0..40 {
        match engine.store().submit(vec![task("B", &large)]).await {
            Ok(accepted) => drop(accepted.unwrap()),
            Err(error) => {
                assert!(matches!(error, StoreError::Full), "{error}");
                full = true;
                break;
            }
        }
    }
    assert!(full);
    let result = format!("\"{}\"", "y".repeat(60_000));
    let commits: Vec<_> = claimed
        .iter()
        .map(|task| crate::harness::ended(task, NextStep::Succeed, crate::harness::completed(&result)))
        .collect();
    worker.line.sender.send(commits, 5);
    // Once for the submit that found the disk full, and not again for the commits.
    assert!(matches!(worker.next().await, Delivery::Troubled(StoreError::Full)));
    engine.advance(seconds(1)).await;
    engine.advance(seconds(1)).await;
    worker.assert_idle(&engine).await;
    assert_eq!(engine.get(&claimed[0].id).await.state, State::Running);
    sql.execute_batch("DROP TABLE ballast").unwrap();
    engine.settle().await;
    let Delivery::Committed(fates) = worker.next().await else { panic!("not committed") };
    assert!(fates.iter().all(|(_, fate)| *fate == CommitFate::Written(NextStep::Succeed)));
    assert_eq!(worker.claimed().await.len(), 5);
    assert_eq!(engine.get(&claimed[0].id).await.state, State::Succeeded);
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let engine = Sqlite::start().await;
    let store = engine.store();
    store.close().await.unwrap();
    store.close().await.unwrap();
    assert!(matches!(store.submit(vec![task("A", "1")]).await, Err(StoreError::Closed)));
    assert!(matches!(store.attach("late").await, Err(StoreError::Closed)));
    assert!(matches!(store.count(bulkhead_store::TaskFilter::default()).await, Err(StoreError::Closed)));
    drop(open(&engine).unwrap());
}

/// Where the process that is to be killed finds its store.
#[cfg(feature = "test-hooks")]
const VICTIM: &str = "BULKHEAD_TEST_VICTIM";

/// Does nothing by itself; as the victim, submits and runs tasks, and says what was answered until it is killed.
#[cfg(feature = "test-hooks")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn victim() {
    use std::io::Write;
    let Ok(path) = std::env::var(VICTIM) else { return };
    let store = sqlite::open(SqliteSettings::at(path)).unwrap();
    let mut out = std::io::stdout();
    let mut worker = crate::harness::Worker { line: store.attach("victim").await.unwrap() };
    worker.line.sender.serve(bulkhead_store::ServedRoutes::new(1, |_| true));
    worker.line.sender.send(Vec::new(), 3);
    for number in 0..5 {
        let id = store.submit(vec![task("A", &number.to_string())]).await.unwrap().unwrap().remove(0).id;
        writeln!(out, "\nsubmitted {id}").unwrap();
        let claimed = worker.claimed_one().await;
        let fates = worker.commit_all(vec![succeeded(&claimed)], 1).await;
        assert_eq!(fates.len(), 1);
        writeln!(out, "\nsucceeded {}", claimed.id).unwrap();
    }
}

#[cfg(feature = "test-hooks")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_holds_wherever_the_process_is_killed() {
    for point in ["after_claim", "before_commit", "after_commit"] {
        for passing in 1..=6 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("store.db");
            let output = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "sqlite_only::victim", "--nocapture"])
                .env(VICTIM, &path)
                .env("BULKHEAD_CRASH_POINT", format!("{point}:{passing}"))
                .output()
                .unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            let answered = |what: &str| -> Vec<bulkhead_core::TaskId> {
                said.lines().filter_map(|line| line.strip_prefix(what)).map(|id| id.trim().parse().unwrap()).collect()
            };
            assert_eq!(output.status.success(), answered("succeeded").len() == 5, "{point}:{passing}: {said}");
            let store = sqlite::open(SqliteSettings::at(&path)).unwrap();
            for id in answered("submitted") {
                assert!(store.get(&id).await.unwrap().is_some(), "{point}:{passing} {id}");
            }
            for id in answered("succeeded") {
                let view = store.get(&id).await.unwrap().unwrap();
                assert_eq!((view.state, view.attempts().len()), (State::Succeeded, 1), "{point}:{passing} {id}");
            }
            let running = bulkhead_store::TaskFilter { states: vec![State::Running], ..Default::default() };
            assert_eq!(store.count(running).await.unwrap(), 0);
        }
    }
}
