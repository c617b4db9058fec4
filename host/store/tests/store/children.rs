//! Tasks that wait for their children.

use bulkhead_core::{Child, DeadReason, Join, NextStep, RunEnd, Spawn, State, TaskId, UpstreamEnd};
use bulkhead_store::{Change, Claimed, Commit, Delivery, Fate, Spawned, TaskFilter, TaskView, UpstreamPart};

use crate::harness::{
    Engine, Worker, completed, ended, failed, json, restarted, seconds, select, succeeded, task, with_key,
};

/// The end of a run that spawns so many children of kind `C`, named `c0`, `c1` …, each with its number as its payload.
fn spawn(children: u32, join: Join) -> RunEnd {
    let child = |number: u32| Child { name: Some(format!("c{number}")), task: task("C", &number.to_string()) };
    RunEnd::Spawned(Spawn { children: (0..children).map(child).collect(), join, state: Some(json("\"kept\"")) })
}

/// A parent that waits, and the children that were claimed meanwhile.
struct Family<E> {
    engine: E,
    worker: Worker,
    parent: TaskId,
    children: Vec<Claimed>,
}

impl<E: Engine> Family<E> {
    async fn of(children: u32, join: Join) -> Self {
        let engine = E::start().await;
        let parent = engine.submit_one(task("P", "1")).await;
        let mut worker = engine.worker(1).await;
        let claimed = worker.claimed_one().await;
        let commit = ended(&claimed, NextStep::Suspend, spawn(children, join));
        let mut family = Self { engine, worker, parent, children: Vec::new() };
        family.commit(commit, children as usize + 1).await;
        family.children = family.worker.claimed().await;
        assert_eq!(family.children.len(), children as usize);
        family
    }

    async fn commit(&mut self, commit: Commit, permits: usize) {
        self.worker.commit(commit, permits).await;
    }

    async fn succeed(&mut self, child: usize) {
        let result = format!("{{\"of\":{child}}}");
        let commit = ended(&self.children[child], NextStep::Succeed, completed(&result));
        self.commit(commit, 0).await;
    }

    async fn die(&mut self, child: usize) {
        let commit = ended(&self.children[child], NextStep::Die(DeadReason::Permanent), failed());
        self.commit(commit, 0).await;
    }

    async fn parent(&self) -> TaskView {
        self.engine.get(&self.parent).await
    }

    async fn child(&self, child: usize) -> TaskView {
        self.engine.get(&self.children[child].id).await
    }

    async fn waits(&self) -> bool {
        self.parent().await.state == State::Suspended
    }

    /// The parent, claimed again, with how its children ended.
    async fn resumed(&mut self) -> (Claimed, Vec<UpstreamEnd>) {
        let claimed = self.worker.claimed_one().await;
        assert_eq!(claimed.id, self.parent);
        let ends = upstream(&self.engine, &claimed, 1 << 20).await;
        (claimed, ends)
    }
}

fn spawned(claimed: &Claimed) -> Spawned {
    claimed.history.as_ref().unwrap().upstream.unwrap()
}

async fn upstream(engine: &impl Engine, claimed: &Claimed, bytes: usize) -> Vec<UpstreamEnd> {
    let mut ends = Vec::new();
    let spawned = spawned(claimed);
    while ends.len() < spawned.count as usize {
        let part = UpstreamPart::Page { offset: ends.len() as u32, count: 100, bytes };
        let page = engine.store().upstream(claimed.seq, spawned, part).await.unwrap();
        assert!(!page.is_empty());
        ends.extend(page.into_iter().map(|task| task.end));
    }
    ends
}

fn well(child: u32) -> UpstreamEnd {
    UpstreamEnd::Succeeded(json(&format!("{{\"of\":{child}}}")))
}

pub(crate) async fn a_parent_goes_on_when_all_its_children_have_ended<E: Engine>() {
    let mut family = Family::<E>::of(3, Join::BestEffort).await;
    let view = family.parent().await;
    assert_eq!((view.state, view.reason.as_deref()), (State::Suspended, Some("children")));
    assert_eq!(view.waits.unwrap().children.unwrap().total, 3);
    assert_eq!(family.child(1).await.parent, Some(family.parent.clone()));
    let filter = TaskFilter { parent: Some(family.parent.clone()), ..TaskFilter::default() };
    assert_eq!(family.engine.store().list(select(filter)).await.unwrap().items.len(), 3);
    family.succeed(2).await;
    family.die(0).await;
    assert!(family.waits().await);
    family.succeed(1).await;
    let (claimed, ends) = family.resumed().await;
    assert!(
        matches!(&ends[..], [UpstreamEnd::Failed(error), second, third]
        if error.code == "BROKEN" && *second == well(1) && *third == well(2)),
        "{ends:?}"
    );
    let history = claimed.history.clone().unwrap();
    assert_eq!((history.stage, history.attempts, history.state), (1, 0, Some(json("\"kept\""))));
    // One at a time where they would be too much together; and by name.
    assert_eq!(upstream(&family.engine, &claimed, 1).await.len(), 3);
    let named = UpstreamPart::Named("c1".to_owned());
    let named = family.engine.store().upstream(claimed.seq, spawned(&claimed), named).await.unwrap();
    assert_eq!((named.len(), &named[0].end, &named[0].id), (1, &well(1), &family.children[1].id));
    family.commit(succeeded(&claimed), 0).await;
    let view = family.parent().await;
    assert_eq!((view.state, view.attempt, view.attempts().len()), (State::Succeeded, 1, 1));
    assert_eq!(view.attempts()[0].digests.len(), 2);
}

pub(crate) async fn a_strict_parent_ends_with_its_first_bad_child<E: Engine>() {
    let mut family = Family::<E>::of(3, Join::Strict).await;
    family.succeed(0).await;
    family.commit(ended(&family.children[1].clone(), NextStep::Die(DeadReason::Permanent), failed()), 0).await;
    let view = family.parent().await;
    assert_eq!((view.state, view.reason.as_deref()), (State::Dead, Some("permanent")));
    let said = view.error.unwrap().message;
    assert!(said.contains("`c1`") && said.contains(family.children[1].id.as_str()), "{said}");
    // Its other child runs, and is told.
    let told = family.worker.next().await;
    assert!(matches!(&told, Delivery::Cancel(tasks) if *tasks == [family.children[2].seq]), "{told:?}");
    assert_eq!(family.child(2).await.state, State::Running);
    family.commit(ended(&family.children[2].clone(), NextStep::Cancel, RunEnd::Cancelled), 0).await;
    assert_eq!(family.child(2).await.state, State::Cancelled);
    assert_eq!(family.child(0).await.state, State::Succeeded);
}

pub(crate) async fn a_parent_that_needs_some_goes_on_when_it_has_them<E: Engine>() {
    let mut family = Family::<E>::of(3, Join::AtLeast(2)).await;
    family.succeed(0).await;
    assert!(family.waits().await);
    family.succeed(2).await;
    let (claimed, ends) = family.resumed().await;
    assert!(matches!(&ends[1], UpstreamEnd::Failed(error) if error.code == "not_ended"), "{ends:?}");
    // What ends later changes nothing any more.
    family.succeed(1).await;
    family.commit(succeeded(&claimed), 0).await;
    assert_eq!(family.parent().await.state, State::Succeeded);
}

pub(crate) async fn a_parent_with_critical_children_does_not_wait_for_the_others<E: Engine>() {
    let mut family = Family::<E>::of(3, Join::Critical(vec!["c1".to_owned()])).await;
    family.die(0).await;
    assert!(family.waits().await);
    family.succeed(1).await;
    family.resumed().await;
}

pub(crate) async fn a_child_that_is_requeued_in_time_is_waited_for_again<E: Engine>() {
    let mut family = Family::<E>::of(2, Join::BestEffort).await;
    family.die(0).await;
    let id = family.children[0].id.clone();
    assert_eq!(family.engine.store().change(vec![id], Change::Requeue).await.unwrap(), [Fate::Done]);
    let again = family.worker.claimed_one().await;
    family.succeed(1).await;
    assert!(family.waits().await);
    family.commit(ended(&again, NextStep::Succeed, completed("{\"of\":0}")), 1).await;
    assert_eq!(family.resumed().await.1, [well(0), well(1)]);
}

pub(crate) async fn a_child_that_is_resolved_counts_as_one_that_ended_well<E: Engine>() {
    let mut family = Family::<E>::of(2, Join::AtLeast(2)).await;
    family.succeed(1).await;
    assert!(family.waits().await);
    family.engine.store().change(vec![family.parent.clone()], Change::Resume(None)).await.unwrap();
    assert!(family.waits().await);
    family.die(0).await;
    // Two can no longer be had.
    assert!(!family.waits().await);
    let id = family.children[0].id.clone();
    assert_eq!(family.engine.store().change(vec![id], Change::Resolve(json("7").into())).await.unwrap(), [Fate::Done]);
    assert_eq!(family.resumed().await.1, [UpstreamEnd::Resolved(json("7")), well(1)]);
}

pub(crate) async fn cancelling_a_parent_cancels_its_children<E: Engine>() {
    let mut family = Family::<E>::of(2, Join::BestEffort).await;
    family.succeed(0).await;
    let retry = ended(&family.children[1].clone(), NextStep::Retry(seconds(5)), failed());
    family.commit(retry, 0).await;
    let parent = vec![family.parent.clone()];
    assert_eq!(family.engine.store().change(parent, Change::Cancel).await.unwrap(), [Fate::Done]);
    assert_eq!(family.parent().await.state, State::Cancelled);
    assert_eq!(family.child(1).await.state, State::Cancelled);
    assert_eq!(family.child(0).await.state, State::Succeeded);
}

pub(crate) async fn a_parent_that_begins_again_finds_the_children_it_has<E: Engine>() {
    let mut family = Family::<E>::of(2, Join::BestEffort).await;
    family.succeed(0).await;
    family.succeed(1).await;
    let (claimed, _) = family.resumed().await;
    family.commit(restarted(&claimed), 1).await;
    family.engine.advance(seconds(1)).await;
    let claimed = family.worker.claimed_one().await;
    let history = claimed.history.clone().unwrap();
    assert_eq!((history.stage, history.state, history.upstream), (0, None, None));
    // The same spawn again creates nothing, and all it asks for has ended.
    family.commit(ended(&claimed, NextStep::Suspend, spawn(2, Join::BestEffort)), 1).await;
    let (_, ends) = family.resumed().await;
    assert_eq!(ends, [well(0), well(1)]);
    let filter = TaskFilter { kind: Some(crate::harness::kind("C")), ..TaskFilter::default() };
    assert_eq!(family.engine.store().count(filter).await.unwrap(), 2);
}

pub(crate) async fn a_child_that_is_there_by_its_key_is_waited_for<E: Engine>() {
    let engine = E::start().await;
    let there = engine.submit_one(with_key(task("C", "7"), "once")).await;
    let parent = engine.submit_one(task("P", "1")).await;
    let mut worker = engine.worker(2).await;
    let mut both = worker.claimed().await;
    assert_eq!((both.len(), &both[0].id, &both[1].id), (2, &there, &parent));
    let child = Child { name: None, task: with_key(task("C", "7"), "once") };
    let end = RunEnd::Spawned(Spawn { children: vec![child], join: Join::BestEffort, state: None });
    worker.commit(ended(&both.remove(1), NextStep::Suspend, end), 1).await;
    assert_eq!(engine.get(&parent).await.state, State::Suspended);
    // It is nobody's child, so cancelling is none of its parent's business either.
    assert_eq!(engine.get(&there).await.parent, None);
    worker.commit(succeeded(&both[0]), 0).await;
    let claimed = worker.claimed_one().await;
    assert_eq!(upstream(&engine, &claimed, 1 << 20).await, [UpstreamEnd::Succeeded(json("true"))]);
}

pub(crate) async fn too_many_generations_end_the_one_that_goes_too_far<E: Engine>() {
    let engine = E::start().await;
    engine.submit_one(task("C", "0")).await;
    let mut worker = engine.worker(1).await;
    for generation in 0..=32 {
        let claimed = worker.claimed_one().await;
        worker.commit(ended(&claimed, NextStep::Suspend, spawn(1, Join::BestEffort)), 1).await;
        let view = engine.get(&claimed.id).await;
        if generation < 32 {
            assert_eq!(view.state, State::Suspended, "{generation}");
        } else {
            assert_eq!((view.state, view.reason.as_deref()), (State::Dead, Some("limit")));
            assert_eq!(view.error.unwrap().reason, "limit:depth");
        }
    }
    // Its end is an end for its parent, which goes on.
    assert_eq!(worker.claimed_one().await.history.unwrap().stage, 1);
}

pub(crate) async fn a_family_outlives_a_crash<E: Engine>() {
    let mut family = Family::<E>::of(2, Join::BestEffort).await;
    family.succeed(0).await;
    let (engine, parent) = (family.engine, family.parent);
    drop(family.worker);
    let engine = engine.crash().await;
    engine.advance(seconds(10)).await;
    let mut worker = engine.worker(1).await;
    let child = worker.claimed_one().await;
    assert_eq!(child.id, family.children[1].id);
    worker.commit(ended(&child, NextStep::Succeed, completed("{\"of\":1}")), 1).await;
    let claimed = worker.claimed_one().await;
    assert_eq!(claimed.id, parent);
    assert_eq!(upstream(&engine, &claimed, 1 << 20).await, [well(0), well(1)]);
}
