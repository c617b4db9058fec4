//! What several hosts on one database share.

use bulkhead_core::{Child, DeadReason, Join, KindLimit, NextStep, Rate, RunEnd, Spawn, State, WorkflowState};
use bulkhead_store::{Change, Delivery, Selection, Store, TaskFilter, WorkflowStore as _, postgres};

use crate::harness::{
    Engine, START, Worker, completed, ended, failed, kind, seconds, succeeded, task, with_extras, with_key,
};
use crate::postgres_engine::{Postgres, connect};
use crate::workflow_harness::{Workflows as _, step, workflow};

/// A second host on the same database and clock.
async fn beside(engine: &Postgres) -> (bulkhead_store::DatabaseStore, Worker) {
    let store = postgres::open(engine.settings()).unwrap();
    let line = store.attach("worker-b").await.unwrap();
    line.sender.serve(bulkhead_store::ServedRoutes::new(1, |_| true));
    (store, Worker { line })
}

fn drained(worker: &mut Worker) -> Vec<bulkhead_store::Claimed> {
    let mut tasks = Vec::new();
    while let Ok(delivery) = worker.line.deliveries.try_recv() {
        match delivery {
            Delivery::Claimed { tasks: more, .. } => tasks.extend(more),
            Delivery::Committed(_) => {}
            other => panic!("{other:?}"),
        }
    }
    tasks
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_limit_of_a_kind_holds_over_all_hosts() {
    let limit = KindLimit { concurrent: std::num::NonZeroU32::new(3), rate: Some(Rate::parse("4/10s").unwrap()) };
    let engine = Postgres::start_with_limit(kind("A"), limit).await;
    let (other, mut b) = beside(&engine).await;
    engine.submit((0..9).map(|number| task("A", &number.to_string())).collect()).await;
    let mut a = engine.worker(2).await;
    let first = a.claimed().await;
    assert_eq!(first.len(), 2);
    b.line.sender.send(Vec::new(), 9);
    other.tick().await.unwrap();
    let there = drained(&mut b);
    assert_eq!(there.len(), 1, "two of three run elsewhere");
    // What ends on one host makes room on the other, as far as the rate lets.
    a.line.sender.send(first.iter().map(succeeded).collect(), 0);
    engine.settle().await;
    other.tick().await.unwrap();
    assert_eq!(drained(&mut b).len(), 1, "three of four have begun");
    engine.advance(seconds(5)).await;
    other.tick().await.unwrap();
    assert_eq!(drained(&mut b).len(), 1, "three run");
    // A host that is lost leaves its places.
    drop((other, b));
    engine.advance(seconds(16)).await;
    engine.settle().await;
    drop(a);
    engine.advance(seconds(10)).await;
    assert_eq!(engine.worker(9).await.claimed().await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_host_is_told_of_what_comes_in_at_another() {
    let engine = Postgres::start().await;
    let (_other, mut b) = beside(&engine).await;
    b.line.sender.send(Vec::new(), 1);
    // The clock stands still, so nobody looks by himself; a listener may take a moment to be there.
    let id = loop {
        let id = engine.submit_one(task("A", "1")).await;
        match tokio::time::timeout(std::time::Duration::from_millis(200), b.line.deliveries.recv()).await {
            Ok(Some(Delivery::Claimed { tasks, .. })) => break tasks[0].id.clone(),
            Ok(other) => panic!("{other:?}"),
            Err(_) => drop(id),
        }
    };
    assert_eq!(engine.get(&id).await.state, bulkhead_core::State::Running);
}

/// The server knows nothing yet of tables that have just been filled, and plans as if they were nearly empty.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn to_list_and_count_what_has_just_come_in_reads_each_task_a_few_times() {
    // Fewer, and more, than a list of waiting tasks begins with.
    for tasks in [2_000, 21_000_i64] {
        let mut engine = Postgres::start().await;
        let client = connect(&engine.settings().url).await;
        client.batch_execute("ALTER TABLE ready_0 SET (autovacuum_enabled = off)").await.unwrap();
        let ids = engine.submit((0..tasks).map(|number| task("A", &number.to_string())).collect()).await;
        for states in [vec![], vec![State::Ready], vec![State::Ready, State::Running]] {
            let filter = TaskFilter { states, ..TaskFilter::default() };
            assert_eq!(engine.store().count(filter.clone()).await.unwrap(), tasks as u64);
            let page = engine.store().list(Selection { filter, limit: 3, cursor: None }).await.unwrap();
            assert_eq!(page.items[0].id, ids[ids.len() - 1].id);
        }
        engine.get(&ids[0].id).await;
        // What a connection read is known for certain once it is gone.
        drop(engine.opened().take());
        until(
            &client,
            "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = current_setting('application_name')",
        )
        .await;
        let read = "SELECT sum(idx_blks_hit + idx_blks_read)::bigint FROM pg_statio_user_indexes \
                    WHERE schemaname = current_schema() AND relname LIKE 'ready%'";
        let read: i64 = client.query_one(read, &[]).await.unwrap().get(0);
        assert!((1..20 * tasks).contains(&read), "{read} pages were read for {tasks} tasks");
    }
}

/// Asks on a connection until the answer is yes.
async fn until(client: &tokio_postgres::Client, question: &str) {
    let yes = async {
        while !client.query_one(question, &[]).await.unwrap().get::<_, bool>(0) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), yes).await.expect("it comes to that");
}

/// Whether somebody waits for this connection.
const ONE_WAITS: &str =
    "SELECT EXISTS (SELECT FROM pg_stat_activity a WHERE pg_backend_pid() = ANY(pg_blocking_pids(a.pid)))";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_that_ends_elsewhere_while_its_parent_begins_to_wait_is_heard_of() {
    /// Whether somebody waits for those who wait for this connection.
    const TWO_WAIT: &str = "SELECT EXISTS (SELECT FROM pg_stat_activity a, pg_stat_activity b \
        WHERE pg_backend_pid() = ANY(pg_blocking_pids(a.pid)) AND a.pid = ANY(pg_blocking_pids(b.pid)))";
    let engine = Postgres::start().await;
    let (other, mut b) = beside(&engine).await;
    let child = || with_key(task("CHILD", "1"), "k");
    engine.submit_one(child()).await;
    b.line.sender.send(Vec::new(), 1);
    other.tick().await.unwrap();
    let running = drained(&mut b);
    let parent = engine.submit_one(task("PARENT", "1")).await;
    let mut a = engine.worker(1).await;
    let claimed = a.claimed_one().await;
    assert_eq!(claimed.id, parent);

    // The parent's host is held up between asking for the child and its commit.
    let client = connect(&engine.settings().url).await;
    client.batch_execute(&format!("BEGIN; INSERT INTO trees VALUES ({}, 0)", claimed.seq.0)).await.unwrap();
    let spawn = Spawn { children: vec![Child { name: None, task: child() }], join: Join::BestEffort, state: None };
    a.line.sender.send(vec![ended(&claimed, NextStep::Suspend, RunEnd::Spawned(spawn))], 1);
    until(&client, ONE_WAITS).await;
    // Meanwhile the child ends: at once, or once the parent's commit is there.
    b.line.sender.send(vec![succeeded(&running[0])], 0);
    tokio::select! {
        delivery = b.line.deliveries.recv() => assert!(matches!(delivery, Some(Delivery::Committed(_))), "{delivery:?}"),
        () = until(&client, TWO_WAIT) => {}
    }
    client.batch_execute("ROLLBACK").await.unwrap();
    assert!(matches!(a.next().await, Delivery::Committed(_)));
    other.tick().await.unwrap();
    engine.settle().await;
    assert_eq!(a.claimed_one().await.id, parent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queue_stays_small_while_somebody_holds_a_transaction_open_and_what_waits_in_it_is_kept() {
    const HOLD: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_xact_id()";
    const SIZE: &str = "SELECT pg_total_relation_size('ready_0') + pg_total_relation_size('ready_1')";
    const PART: &str = "SELECT value FROM meta WHERE name = 'ready_part'";
    let engine = Postgres::start().await;
    let looker = connect(&engine.settings().url).await;
    let waiting = engine.submit_one(task("LATER", "1")).await;
    let client = connect(&engine.settings().url).await;
    client.batch_execute(HOLD).await.unwrap();
    let mut worker = engine.worker_for(0, |route| route.kind.as_str() == "A").await;
    let (mut largest, mut parts) = (0, std::collections::BTreeSet::new());
    for _ in 0..12 {
        engine.submit((0..1_000).map(|number| task("A", &number.to_string())).collect()).await;
        worker.line.sender.send(Vec::new(), 1_000);
        let mut left = 1_000;
        while left > 0 {
            match worker.next().await {
                Delivery::Claimed { tasks, .. } => worker.line.sender.send(tasks.iter().map(succeeded).collect(), 0),
                Delivery::Committed(fates) => left -= fates.len(),
                other => panic!("{other:?}"),
            }
        }
        engine.advance(seconds(2)).await;
        assert!(worker.line.sender.renew().await.unwrap());
        // The transaction that is held sees the catalogue, and the files, as they are now.
        largest = largest.max(client.query_one(SIZE, &[]).await.unwrap().get::<_, i64>(0));
        parts.insert(looker.query_one(PART, &[]).await.unwrap().get::<_, i64>(0));
    }
    assert!(largest < 700 << 10, "{largest} bytes for 1,000 tasks at once");
    assert_eq!(parts.len(), 2);
    assert_eq!(engine.get(&waiting).await.state, bulkhead_core::State::Ready);
    let mut other = engine.worker_for(1, |route| route.kind.as_str() == "LATER").await;
    assert_eq!(other.claimed_one().await.id, waiting);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_free_worker_takes_at_once_never_comes_into_the_table_of_the_queue() {
    const SIZE: &str = "SELECT pg_relation_size('ready_0') + pg_relation_size('ready_1')";
    const WAITING: &str = "SELECT count(*) FROM ready";
    let engine = Postgres::start().await;
    let client = connect(&engine.settings().url).await;
    let mut worker = engine.worker(1).await;
    // It is free only once the store knows of it.
    engine.settle().await;
    for number in 0..50 {
        let payload = format!("{{\"n\":{number}}}");
        let tags = |extras: &mut bulkhead_core::Extras| drop(extras.tags.insert("n".to_owned(), payload.clone()));
        let id = engine.submit_one(with_extras(task("A", &payload), tags)).await;
        let claimed = worker.claimed_one().await;
        let seen = claimed.extras.as_ref().and_then(|extras| extras.tags.get("n"));
        assert_eq!((&claimed.id, claimed.payload.as_str(), seen), (&id, payload.as_str(), Some(&payload)));
        worker.commit(succeeded(&claimed), 1).await;
        let view = engine.get(&id).await;
        assert_eq!(
            (view.state, view.payload.as_ref().map(|payload| payload.as_str())),
            (State::Succeeded, Some(&*payload))
        );
    }
    assert_eq!(client.query_one(SIZE, &[]).await.unwrap().get::<_, i64>(0), 0, "nothing was ever written there");
    // Of what comes in one request, that which is not taken at once waits, in the order in which it came.
    let ids = engine.submit((0..4).map(|number| task("A", &number.to_string())).collect()).await;
    let first = worker.claimed_one().await;
    assert_eq!(client.query_one(WAITING, &[]).await.unwrap().get::<_, i64>(0), 3);
    worker.commit(succeeded(&first), 3).await;
    let rest = worker.claimed().await;
    let taken: Vec<_> = std::iter::once(&first).chain(&rest).map(|task| task.id.clone()).collect();
    assert_eq!(taken, ids.iter().map(|id| id.id.clone()).collect::<Vec<_>>());
    assert_eq!(client.query_one(WAITING, &[]).await.unwrap().get::<_, i64>(0), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_whose_server_ended_while_it_was_asked_is_asked_again() {
    const END: &str = "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid, 20000)) = 1 FROM pg_stat_activity \
        WHERE application_name = current_schema() AND wait_event_type = 'Lock' AND query LIKE 'SELECT%'";
    let engine = Postgres::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let (holder, looker) = (connect(&engine.settings().url).await, connect(&engine.settings().url).await);
    holder.batch_execute("BEGIN; LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let end = async {
        until(&looker, END).await;
        holder.batch_execute("ROLLBACK").await.unwrap();
    };
    let (found, ()) = tokio::join!(engine.get(&id), end);
    assert_eq!(found.id, id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_whose_server_ended_is_replaced_before_its_question_is_asked() {
    /// Ends those of this store that were read from, and waits until they are gone; whether there was one, since an answer
    /// does not wait for the end of its transaction.
    const END: &str = "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid, 20000)) >= 1 FROM pg_stat_activity \
        WHERE application_name = current_schema() AND query = 'ROLLBACK'";
    let engine = Postgres::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let client = connect(&engine.settings().url).await;
    for _ in 0..5 {
        tokio::join!(engine.get(&id), engine.get(&id));
        until(&client, END).await;
    }
    assert_eq!(engine.get(&id).await.id, id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_that_is_heard_of_in_a_cycle_that_is_done_again_is_told_all_the_same() {
    let engine = Postgres::start().await;
    let (other, _b) = beside(&engine).await;
    engine.submit(vec![task("A", "1"), task("A", "2")]).await;
    let mut a = engine.worker(2).await;
    let mut claimed = a.claimed().await;
    while claimed.len() < 2 {
        claimed.extend(a.claimed().await);
    }
    other.change(vec![claimed[0].id.clone()], Change::Cancel).await.unwrap();
    // Its end is refused, so that the cycle in which it is heard of is rolled back.
    engine.refuse_result("\"refused\"");
    let refused = ended(&claimed[1], NextStep::Succeed, completed("\"refused\""));
    a.line.sender.send(vec![refused], 0);
    let mut told = Vec::new();
    engine.settle().await;
    while let Ok(delivery) = a.line.deliveries.try_recv() {
        if let Delivery::Cancel(tasks) = delivery {
            told.extend(tasks);
        }
    }
    assert_eq!(told, [claimed[0].seq]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_that_commits_while_its_task_is_taken_from_a_lost_host_ends_the_task() {
    let engine = Postgres::start().await;
    let (other, mut b) = beside(&engine).await;
    let id = engine.submit_one(task("A", "1")).await;
    b.line.sender.send(Vec::new(), 1);
    other.tick().await.unwrap();
    let running = drained(&mut b);
    // Somebody holds its lease, as a cancel does until it is written.
    let client = connect(&engine.settings().url).await;
    client.batch_execute("BEGIN; SELECT FROM leases FOR UPDATE").await.unwrap();
    let cancel = format!("INSERT INTO cancels (seq, cancelled_at) VALUES ({}, {START})", running[0].seq.0);
    client.batch_execute(&cancel).await.unwrap();
    drop((other, b));
    engine.clock().advance(seconds(16));
    let written = async {
        until(&client, ONE_WAITS).await;
        client.batch_execute("COMMIT").await.unwrap();
    };
    tokio::join!(engine.settle(), written);
    engine.settle().await;
    assert_eq!(engine.get(&id).await.state, State::Cancelled);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_a_workflow_hears_of_it_when_it_is_blocked_on_another_host() {
    let engine = Postgres::start().await;
    // The first step of its template never ends.
    let begun = engine.begin(workflow(vec![step("b", &[1]), step("a", &[])])).await;
    let mut worker = engine.worker(1).await;
    let a = worker.claimed_one().await;
    let other = postgres::open(engine.settings()).unwrap();
    assert_eq!(other.workflow(&begun.id).await.unwrap().unwrap().state, WorkflowState::Running);
    let work = async {
        // It waits by then.
        for _ in 0..200 {
            other.tick().await.unwrap();
        }
        worker.commit(ended(&a, NextStep::Die(DeadReason::Permanent), failed()), 0).await;
        for _ in 0..1_000 {
            other.tick().await.unwrap();
        }
    };
    tokio::select! {
        view = other.wait_workflow(&begun.id, seconds(3600)) => {
            assert_eq!(view.unwrap().unwrap().state, WorkflowState::Blocked);
        }
        () = work => panic!("nobody was woken"),
    }
}
