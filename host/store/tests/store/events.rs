//! Events that are kept: nothing before its commit, nothing lost, in order; and their way to webhooks.

use std::time::Duration;

use bulkhead_core::{
    DeadReason, EventFilter, EventType, EventTypes, NextStep, RunEnd, Suspension, TaskId, Timestamp, WebhookName,
};
use bulkhead_store::{Change, DealRules, DeliveryFate, KeptEvent, NewWebhook, Settlement, StoredSecret, WebhookFate};

use crate::harness::{
    Engine, Worker, completed, ended, failed, json, kind, retried, seconds, succeeded, task, with_extras,
};

const HOUR: Duration = Duration::from_secs(3600);

fn rules() -> DealRules {
    DealRules { hold: seconds(15), keep_for: HOUR, keep_count: 1_000_000, keep_parked: 24 * HOUR }
}

fn name(text: &str) -> WebhookName {
    WebhookName::parse(text).unwrap()
}

fn webhook(text: &str, filter: EventFilter) -> NewWebhook {
    let filter =
        EventFilter { types: EventTypes::of_bits(filter.types.bits() & EventTypes::durable().bits()), ..filter };
    NewWebhook { name: name(text), url: "https://there.example".to_owned(), filter, secret: StoredSecret::new("env:S") }
}

async fn add(engine: &impl Engine, text: &str, filter: EventFilter) {
    let fate = engine.store().add_webhook(webhook(text, filter)).await.unwrap();
    assert!(matches!(fate, WebhookFate::Added(_)), "{fate:?}");
}

async fn kept(engine: &impl Engine, after: i64) -> Vec<KeptEvent> {
    engine.settle().await;
    engine.store().events(after, 1_000).await.unwrap().items
}

fn types(events: &[KeptEvent], of: &TaskId) -> Vec<EventType> {
    events.iter().filter(|kept| kept.event.data.task == *of).map(|kept| kept.event.event_type).collect()
}

async fn run_one(engine: &impl Engine, worker: &mut Worker) -> TaskId {
    let id = engine.submit_one(task("A", "1")).await;
    worker.line.sender.send(Vec::new(), 1);
    let claimed = worker.claimed_one().await;
    worker.commit(succeeded(&claimed), 0).await;
    id
}

async fn now(engine: &impl Engine) -> Timestamp {
    engine.store().deal(rules()).await.unwrap().now
}

async fn deal(engine: &impl Engine) {
    while engine.store().deal(rules()).await.unwrap().more {}
}

async fn due(engine: &impl Engine, webhook: &str) -> Vec<i64> {
    let now = now(engine).await;
    let due = engine.store().due(&name(webhook), now, 100).await.unwrap();
    due.items.iter().map(|item| item.number).collect()
}

async fn settle(engine: &impl Engine, webhook: &str, settled: Vec<(i64, DeliveryFate)>) {
    engine.store().settle(Settlement { webhook: name(webhook), settled, give_up: None }).await.unwrap();
}

pub(crate) async fn nothing_is_kept_while_nobody_subscribes<E: Engine>() {
    let engine = E::start().await;
    let mut worker = engine.worker(0).await;
    run_one(&engine, &mut worker).await;
    assert_eq!(kept(&engine, 0).await, []);
    let position = engine.store().keep_stream(HOUR).await.unwrap();
    let id = run_one(&engine, &mut worker).await;
    let events = kept(&engine, position).await;
    assert_eq!(types(&events, &id), [EventType::Succeeded]);
    let data = &events[0].event.data;
    assert_eq!((data.facts.worker.as_deref(), data.facts.attempt), (Some("worker-a"), 1));
    assert_eq!(data.facts.digest.as_deref(), Some("01".repeat(32).as_str()));
    engine.advance(2 * HOUR).await;
    let mut worker = engine.worker(0).await;
    run_one(&engine, &mut worker).await;
    assert_eq!(kept(&engine, position).await.len(), 1, "the subscription is over");
    // Who comes back now is told that something is missing.
    engine.store().keep_stream(HOUR).await.unwrap();
    assert!(engine.store().events(0, 10).await.unwrap().unbroken > events[0].number + 1);
}

pub(crate) async fn every_end_is_numbered_once_and_in_the_order_of_its_task<E: Engine>() {
    let engine = E::start().await;
    let position = engine.store().keep_stream(HOUR).await.unwrap();
    let mut worker = engine.worker(4).await;
    let ids = engine.submit((0..4).map(|number| task("A", &number.to_string())).collect()).await;
    let claimed = worker.claimed().await;
    let suspension = Suspension { reason: "wait".to_owned(), metadata: json("{}"), timeout: None, state: None };
    let commits = vec![
        ended(&claimed[0], NextStep::Suspend, RunEnd::Suspended(suspension)),
        retried(&claimed[1], seconds(1)),
        ended(&claimed[2], NextStep::Die(DeadReason::Permanent), failed()),
        succeeded(&claimed[3]),
    ];
    worker.commit_all(commits, 4).await;
    engine.store().change(vec![ids[0].id.clone()], Change::Resume(Some(json("1")))).await.unwrap();
    let again = worker.claimed_one().await;
    worker.commit(succeeded(&again), 0).await;
    engine.store().change(vec![ids[1].id.clone()], Change::Cancel).await.unwrap();
    engine.store().change(vec![ids[2].id.clone()], Change::Resolve(json("2").into())).await.unwrap();
    let events = kept(&engine, position).await;
    assert_eq!(types(&events, &ids[0].id), [EventType::Suspended, EventType::Succeeded]);
    assert_eq!(types(&events, &ids[1].id), [EventType::Cancelled]);
    assert_eq!(types(&events, &ids[2].id), [EventType::Dead, EventType::Resolved]);
    assert_eq!(types(&events, &ids[3].id), [EventType::Succeeded]);
    let numbers: Vec<i64> = events.iter().map(|event| event.number).collect();
    assert_eq!(numbers, (position + 1..position + 7).collect::<Vec<_>>());
}

pub(crate) async fn what_is_not_kept_is_told_to_who_listens_and_after_what_came_before<E: Engine>() {
    let engine = E::start().await;
    let mut worker = engine.worker(0).await;
    engine.submit_one(task("B", "1")).await;
    let mut listener = engine.store().listen();
    let position = engine.store().keep_stream(HOUR).await.unwrap();
    let id = engine.submit_one(with_extras(task("A", "1"), |extras| extras.tenant = Some("t".to_owned()))).await;
    worker.line.sender.send(Vec::new(), 2);
    let mut claimed = Vec::new();
    while claimed.len() < 2 {
        claimed.extend(worker.claimed().await);
    }
    let mine = claimed.iter().find(|task| task.id == id).unwrap();
    worker.commit(retried(mine, seconds(1)), 1).await;
    engine.advance(seconds(1)).await;
    let again = worker.claimed_one().await;
    worker.commit(succeeded(&again), 0).await;
    engine.settle().await;
    let mut told = Vec::new();
    while let Ok(live) = listener.live.try_recv() {
        if live.event.data.task == id {
            assert_eq!((live.after, live.event.data.tenant.as_deref()), (position, Some("t")));
            told.push((live.event.event_type, live.event.data.facts.attempt));
        }
    }
    let expected =
        [(EventType::Submitted, 0), (EventType::Claimed, 1), (EventType::Retried, 1), (EventType::Claimed, 2)];
    assert_eq!(told, expected);
    let events = kept(&engine, position).await;
    assert_eq!(types(&events, &id), [EventType::Succeeded]);
    assert_eq!(events[0].event.data.tenant.as_deref(), Some("t"));
    assert_eq!(engine.store().watch_events().borrow().latest, events[0].number);
}

pub(crate) async fn a_refused_end_tells_only_what_was_written<E: Engine>() {
    let engine = E::start().await;
    let position = engine.store().keep_stream(HOUR).await.unwrap();
    engine.refuse_result("\"bad\"");
    let mut worker = engine.worker(3).await;
    let ids = engine.submit((0..3).map(|number| task("A", &number.to_string())).collect()).await;
    let claimed = worker.claimed().await;
    let commits = vec![
        succeeded(&claimed[0]),
        ended(&claimed[1], NextStep::Succeed, completed("\"bad\"")),
        succeeded(&claimed[2]),
    ];
    worker.commit_all(commits, 0).await;
    let events = kept(&engine, position).await;
    for (place, event) in [(0, EventType::Succeeded), (1, EventType::Dead), (2, EventType::Succeeded)] {
        assert_eq!(types(&events, &ids[place].id), [event]);
    }
    assert_eq!(events.len(), 3);
}

pub(crate) async fn no_event_is_lost_over_a_crash<E: Engine>() {
    let engine = E::start().await;
    let position = engine.store().keep_stream(24 * HOUR).await.unwrap();
    add(&engine, "here", EventFilter::default()).await;
    let mut worker = engine.worker(0).await;
    let first = run_one(&engine, &mut worker).await;
    let engine = engine.crash().await;
    let mut worker = engine.worker(0).await;
    let second = run_one(&engine, &mut worker).await;
    let events = kept(&engine, position).await;
    let tasks: Vec<&TaskId> = events.iter().map(|kept| &kept.event.data.task).collect();
    assert_eq!(tasks, [&first, &second]);
    deal(&engine).await;
    let engine = engine.crash().await;
    let numbers: Vec<i64> = events.iter().map(|kept| kept.number).collect();
    // The host that went may have been the one that sends.
    engine.advance(seconds(16)).await;
    deal(&engine).await;
    assert_eq!(due(&engine, "here").await, numbers);
}

pub(crate) async fn a_webhook_gets_what_it_wants_from_its_adding_on<E: Engine>() {
    let engine = E::start().await;
    add(&engine, "all", EventFilter::default()).await;
    let mut worker = engine.worker(0).await;
    run_one(&engine, &mut worker).await;
    add(&engine, "dead-a", EventFilter { types: [EventType::Dead].into_iter().collect(), ..EventFilter::default() })
        .await;
    add(&engine, "kind-b", EventFilter { kinds: vec![kind("B"), kind("C")], ..EventFilter::default() }).await;
    add(&engine, "tenant", EventFilter { tenant: Some("t".to_owned()), ..EventFilter::default() }).await;
    let mine = with_extras(task("B", "2"), |extras| extras.tenant = Some("t".to_owned()));
    let ids = engine.submit(vec![task("A", "1"), mine]).await;
    worker.line.sender.send(Vec::new(), 2);
    let mut claimed = Vec::new();
    while claimed.len() < 2 {
        claimed.extend(worker.claimed().await);
    }
    let commits = claimed.iter().map(|task| match task.id == ids[0].id {
        true => ended(task, NextStep::Die(DeadReason::Permanent), failed()),
        false => succeeded(task),
    });
    worker.commit_all(commits.collect(), 0).await;
    engine.settle().await;
    deal(&engine).await;
    let events = kept(&engine, 0).await;
    let of = |id: &TaskId| events.iter().find(|kept| kept.event.data.task == *id).unwrap().number;
    assert_eq!(due(&engine, "all").await.len(), 3);
    assert_eq!(due(&engine, "dead-a").await, [of(&ids[0].id)]);
    assert_eq!(due(&engine, "kind-b").await, [of(&ids[1].id)]);
    assert_eq!(due(&engine, "tenant").await, [of(&ids[1].id)]);
    let taken = engine.store().add_webhook(webhook("all", EventFilter::default())).await.unwrap();
    assert_eq!(taken, WebhookFate::Taken);
    assert!(engine.store().remove_webhook(&name("all")).await.unwrap());
    assert!(!engine.store().remove_webhook(&name("all")).await.unwrap());
    assert_eq!(engine.store().backlog(&name("all")).await.unwrap(), None);
}

pub(crate) async fn a_delivery_waits_for_the_earlier_one_of_its_task<E: Engine>() {
    let engine = E::start().await;
    add(&engine, "here", EventFilter::default()).await;
    let mut worker = engine.worker(1).await;
    let id = engine.submit_one(task("A", "1")).await;
    let claimed = worker.claimed_one().await;
    worker.commit(ended(&claimed, NextStep::Die(DeadReason::Permanent), failed()), 0).await;
    engine.store().change(vec![id.clone()], Change::Resolve(json("1").into())).await.unwrap();
    run_one(&engine, &mut worker).await;
    engine.settle().await;
    deal(&engine).await;
    let numbers: Vec<i64> = kept(&engine, 0).await.iter().map(|kept| kept.number).collect();
    let [dead, resolved, other] = numbers[..] else { panic!("{numbers:?}") };
    assert_eq!(due(&engine, "here").await, [dead, other]);
    let again = now(&engine).await.after(seconds(60));
    settle(
        &engine,
        "here",
        vec![(dead, DeliveryFate::Again(again, "503".to_owned())), (other, DeliveryFate::Delivered)],
    )
    .await;
    assert_eq!(due(&engine, "here").await, Vec::<i64>::new());
    let backlog = engine.store().backlog(&name("here")).await.unwrap().unwrap();
    assert_eq!((backlog.pending, backlog.parked, backlog.error.as_deref()), (2, 0, Some("503")));
    engine.advance(seconds(60)).await;
    assert_eq!(due(&engine, "here").await, [dead]);
    settle(&engine, "here", vec![(dead, DeliveryFate::Parked("gone".to_owned()))]).await;
    assert_eq!(due(&engine, "here").await, [resolved]);
    let parked = engine.store().parked(&name("here"), 0, 10).await.unwrap();
    assert_eq!((parked[0].number, parked[0].attempts, parked[0].error.as_deref()), (dead, 2, Some("gone")));
    assert_eq!(engine.store().retry_parked(&name("here"), Some(vec![resolved])).await.unwrap(), Some(0));
    assert_eq!(engine.store().retry_parked(&name("here"), None).await.unwrap(), Some(1));
    assert_eq!(engine.store().retry_parked(&name("nobody"), None).await.unwrap(), None);
    assert_eq!(due(&engine, "here").await, [dead]);
    let since = now(&engine).await;
    let give_up = Some((since, "down".to_owned()));
    engine.store().settle(Settlement { webhook: name("here"), settled: Vec::new(), give_up }).await.unwrap();
    assert_eq!(engine.store().parked(&name("here"), 0, 10).await.unwrap().len(), 2);
}

pub(crate) async fn old_events_go_once_everybody_has_them<E: Engine>() {
    let engine = E::start().await;
    engine.store().keep_stream(1_000 * HOUR).await.unwrap();
    add(&engine, "here", EventFilter::default()).await;
    let mut worker = engine.worker(0).await;
    for _ in 0..3 {
        run_one(&engine, &mut worker).await;
    }
    engine.settle().await;
    deal(&engine).await;
    let numbers: Vec<i64> = kept(&engine, 0).await.iter().map(|kept| kept.number).collect();
    settle(&engine, "here", vec![(numbers[0], DeliveryFate::Delivered), (numbers[2], DeliveryFate::Delivered)]).await;
    engine.advance(2 * HOUR).await;
    deal(&engine).await;
    let left: Vec<i64> = kept(&engine, 0).await.iter().map(|kept| kept.number).collect();
    assert_eq!(left, [numbers[1]]);
    assert_eq!(engine.store().events(0, 1).await.unwrap().unbroken, numbers[2] + 1);
    settle(&engine, "here", vec![(numbers[1], DeliveryFate::Delivered)]).await;
    let mut worker = engine.worker(0).await;
    run_one(&engine, &mut worker).await;
    engine.advance(seconds(11)).await;
    let few = DealRules { keep_count: 0, ..rules() };
    while engine.store().deal(few).await.unwrap().more {}
    engine.advance(seconds(11)).await;
    settle(&engine, "here", vec![(numbers[2] + 1, DeliveryFate::Delivered)]).await;
    while engine.store().deal(few).await.unwrap().more {}
    assert_eq!(kept(&engine, 0).await, []);
}
