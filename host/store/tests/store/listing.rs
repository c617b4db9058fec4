//! Lists, counts and depths.

use bulkhead_core::{DeadReason, Due, NextStep, ReadyReason, State};
use bulkhead_store::{Selection, StoreError, TaskFilter};

use crate::harness::{Engine, after_start, ended, failed, kind, seconds, succeeded, task, with_extras};

fn all() -> TaskFilter {
    TaskFilter::default()
}

pub(crate) async fn pages_come_newest_first_and_end<E: Engine>() {
    let engine = E::start().await;
    let ids = engine.submit((0..7).map(|number| task("A", &number.to_string())).collect()).await;
    let (mut seen, mut cursor) = (Vec::new(), None);
    for expected in [3, 3, 1] {
        let page = engine.store().list(Selection { filter: all(), limit: 3, cursor }).await.unwrap();
        assert_eq!(page.items.len(), expected);
        assert!(page.items.iter().all(|task| task.payload.is_none()));
        seen.extend(page.items.into_iter().map(|task| task.id));
        cursor = page.next;
    }
    assert_eq!(cursor, None);
    let newest_first: Vec<_> = ids.into_iter().rev().map(|submitted| submitted.id).collect();
    assert_eq!(seen, newest_first);
}

pub(crate) async fn a_cursor_that_was_not_given_for_this_list_is_refused<E: Engine>() {
    let engine = E::start().await;
    engine.submit((0..3).map(|number| task("A", &number.to_string())).collect()).await;
    let page = engine.store().list(Selection { filter: all(), limit: 1, cursor: None }).await.unwrap();
    let given = page.next.unwrap();
    let other = TaskFilter { kind: Some(kind("A")), ..all() };
    let forged = format!("1{given}");
    for (filter, cursor) in [(other, given.as_str()), (all(), &forged), (all(), "3"), (all(), ""), (all(), "-")] {
        let selection = Selection { filter, limit: 1, cursor: Some(cursor.to_owned()) };
        let error = engine.store().list(selection).await.unwrap_err();
        assert!(matches!(error, StoreError::Cursor(_)), "{cursor}: {error}");
    }
}

pub(crate) async fn filters_meet_what_they_say<E: Engine>() {
    let engine = E::start().await;
    let tags = |tags: &[(&str, &str)]| tags.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let tenant = |payload| {
        with_extras(task("A", payload), |extras| {
            extras.tenant = Some("acme".to_owned());
            extras.tags = tags(&[("team", "blue"), ("a \"b'.c", "$")]);
        })
    };
    let mut later = task("B", "5");
    later.due = Due::After(seconds(60));
    let ids: Vec<_> = engine
        .submit(vec![tenant("0"), task("A", "1"), task("A", "2"), task("A", "3"), task("C", "4"), later])
        .await
        .into_iter()
        .map(|submitted| submitted.id)
        .collect();
    let mut worker = engine.worker_for(4, |route| route.kind != kind("C")).await;
    let claimed = worker.claimed().await;
    let commits = vec![
        succeeded(&claimed[0]),
        ended(&claimed[1], NextStep::Die(DeadReason::Trap), failed()),
        ended(&claimed[2], NextStep::Retry(seconds(9)), failed()),
    ];
    worker.commit_all(commits, 0).await;
    let states = |states: &[State]| TaskFilter { states: states.to_vec(), ..all() };
    let waits = |reason| TaskFilter { ready_reason: Some(reason), ..all() };
    let expectations: [(TaskFilter, &[usize]); 17] = [
        (all(), &[5, 4, 3, 2, 1, 0]),
        (states(&[State::Succeeded]), &[0]),
        (states(&[State::Dead]), &[1]),
        (states(&[State::Dead, State::Cancelled]), &[1]),
        (states(&[State::Running]), &[3]),
        (states(&[State::Ready]), &[5, 4, 2]),
        (states(&[State::Ready, State::Running, State::Dead]), &[5, 4, 3, 2, 1]),
        (states(&[State::Suspended]), &[]),
        (TaskFilter { dead_reason: Some(DeadReason::Trap), ..all() }, &[1]),
        (TaskFilter { tenant: Some("acme".to_owned()), ..all() }, &[0]),
        (TaskFilter { tags: tags(&[("team", "blue"), ("a \"b'.c", "$")]), ..all() }, &[0]),
        (TaskFilter { tags: tags(&[("team", "red")]), ..all() }, &[]),
        (TaskFilter { tags: tags(&[("team", "blue"), ("blue", "team")]), ..all() }, &[]),
        (TaskFilter { tags: tags(&[("team", "blue")]), ..states(&[State::Ready]) }, &[]),
        (TaskFilter { kind: Some(kind("B")), ..states(&[State::Ready]) }, &[5]),
        (waits(ReadyReason::Retry), &[2]),
        (waits(ReadyReason::Unroutable), &[4]),
    ];
    for (filter, expected) in expectations {
        let page = engine.store().list(Selection { filter: filter.clone(), limit: 10, cursor: None }).await.unwrap();
        let found: Vec<_> = page.items.iter().map(|view| &view.id).collect();
        let expected: Vec<_> = expected.iter().map(|place| &ids[*place]).collect();
        assert_eq!(found, expected, "{filter:?}");
        assert_eq!(engine.store().count(filter.clone()).await.unwrap(), expected.len() as u64, "{filter:?}");
    }
}

pub(crate) async fn depths_follow_what_waits<E: Engine>() {
    let engine = E::start().await;
    assert_eq!(engine.store().depths(), []);
    let mut later = task("A", "1");
    later.due = Due::After(seconds(10));
    engine.submit(vec![later, task("B", "2")]).await;
    let depth = |name: &str| {
        let depths = engine.store().depths();
        let depth = depths.into_iter().find(|depth| depth.route.kind == kind(name)).unwrap();
        (depth.pending, depth.oldest_due)
    };
    assert_eq!(depth("A"), (1, None));
    assert_eq!(depth("B"), (1, Some(after_start(seconds(0)))));
    engine.advance(seconds(10)).await;
    assert_eq!(depth("A"), (1, Some(after_start(seconds(10)))));
    let mut worker = engine.worker(2).await;
    let claimed = worker.claimed().await;
    assert_eq!((depth("A"), depth("B")), ((0, None), (0, None)));
    worker.commit_all(claimed.iter().map(|task| ended(task, NextStep::Retry(seconds(1)), failed())).collect(), 0).await;
    assert_eq!((depth("A").0, depth("B").0), (1, 1));
    assert_eq!(engine.store().routes().len(), 2);
}

pub(crate) async fn states_are_asked_for_in_any_company<E: Engine>() {
    let engine = E::start().await;
    let later = bulkhead_core::NewTask { due: Due::After(seconds(60)), ..task("A", "3") };
    let ids = engine.submit(vec![task("A", "0"), task("A", "1"), task("B", "2"), later, task("B", "4")]).await;
    let mut worker = engine.worker_for(2, |route| route.kind.as_str() == "A").await;
    let claimed = worker.claimed().await;
    worker.commit(succeeded(&claimed[0]), 0).await;
    engine.store().change(vec![ids[4].id.clone()], bulkhead_store::Change::Pause).await.unwrap();
    let count = |states: &[State]| {
        let filter = TaskFilter { states: states.to_vec(), ..all() };
        engine.store().count(filter)
    };
    use State::{Paused, Ready, Running, Succeeded, Suspended, Waiting};
    for (states, expected) in [
        (&[Ready, Running][..], 3),
        (&[Ready], 2),
        (&[Running], 1),
        (&[Running, Paused, Suspended], 2),
        (&[Waiting, Suspended], 0),
        (&[Ready, Running, Paused, Suspended, Waiting], 4),
        (&[Ready, Succeeded], 3),
        (&[], 5),
    ] {
        assert_eq!(count(states).await.unwrap(), expected, "{states:?}");
    }
}
