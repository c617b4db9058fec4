//! Steps for which several tasks stand, and steps with a condition: what the host does of them itself.

use std::collections::HashMap;
use std::sync::Arc;

use bulkhead_core::{
    BatchPlan, Child, Cursor, Due, FanInCount, FanOut, FanOutOver, Join, JsonText, MAX_STEPS, NewTask, RunEnd, Spawn,
    State, UpstreamEnd, cursors_by_hand, fan_in, instance, instance_name,
};
use bulkhead_store::{Claimed, History, Spawned, Store, UpstreamPart};
use bulkhead_workflow::{Expression, Scope, StepResult, StepView, instance_payload};

use super::StepRun;
use super::upstream::upstream_of;

/// What is read of upstream tasks at once.
const PAGE: usize = 4 << 20;

/// How a step ends that is the host's to run; none where its handler is to run it.
///
/// An error is the store's, and the step is to be tried again.
pub(crate) async fn run_by_host(
    store: &Arc<dyn Store>,
    task: &Claimed,
    history: &History,
    step: &StepRun<'_>,
) -> Result<Option<RunEnd>, String> {
    if step.ticket.instance {
        return Ok(None);
    }
    if let (Some(fan_out), Some(spawned)) = (&step.step().fan_out, history.upstream) {
        return gather(store, task, spawned, fan_out).await.map(Some);
    }
    if history.stage == 0
        && let Some(condition) = &step.step().when
    {
        match Expression::holds(condition, &scope(store, task, step).await?) {
            Ok(true) => {}
            Ok(false) => return Ok(Some(RunEnd::Skipped)),
            Err(error) => return Ok(Some(RunEnd::Invalid(format!("`when` of step `{}`: {error}", step.ticket.name)))),
        }
    }
    match &step.step().fan_out {
        Some(fan_out) => scatter(store, task, step, fan_out).await.map(Some),
        None => Ok(None),
    }
}

/// Makes the tasks that stand for a step.
async fn scatter(
    store: &Arc<dyn Store>,
    task: &Claimed,
    step: &StepRun<'_>,
    fan_out: &FanOut,
) -> Result<RunEnd, String> {
    let refuse = |problem: String| Ok(RunEnd::Invalid(format!("step `{}`: {problem}", step.ticket.name)));
    let parts: Vec<(JsonText, Option<Cursor>)> = match &fan_out.over {
        FanOutOver::Items(items) => items.iter().map(|item| (item.clone(), None)).collect(),
        FanOutOver::Expression(text) => match Expression::list(text, &scope(store, task, step).await?) {
            Ok(items) => items.into_iter().map(|item| (item, None)).collect(),
            Err(error) => return refuse(format!("`for_each`: {error}")),
        },
        FanOutOver::Batches(analyzer) => {
            let cursors = cursors(store, step, *analyzer).await?;
            cursors.into_iter().map(|cursor| (JsonText::absent(), Some(cursor))).collect()
        }
    };
    if parts.is_empty() {
        return Ok(fan_in(&FanOut { join: Join::BestEffort, ..fan_out.clone() }, &FanInCount::default()));
    }
    if parts.len() > MAX_STEPS {
        return refuse(format!("it would become {} tasks; the limit is {MAX_STEPS}", parts.len()));
    }
    let own = NewTask {
        id: None,
        route: (*task.route).clone(),
        payload: JsonText::absent(),
        priority: task.priority,
        due: Due::Now,
        extras: task.extras.clone(),
    };
    let mut children = Vec::with_capacity(parts.len());
    for (index, (item, cursor)) in parts.into_iter().enumerate() {
        let payload = match cursor {
            Some(_) => Ok(item),
            None => instance_payload(step.step(), item),
        };
        match payload {
            Ok(payload) => {
                let name = instance_name(step.step().name.as_str(), index);
                let task = instance(&own, step.ticket, name.clone(), cursor, payload);
                children.push(Child { name: Some(name), task });
            }
            Err(problem) => return refuse(format!("`for_each`: item {index}: {problem}")),
        }
    }
    if let Err(problem) = fan_out.join.check(children.iter().map(|child| child.name.as_deref())) {
        return refuse(problem);
    }
    Ok(RunEnd::Spawned(Spawn { children, join: fan_out.join.clone(), state: None }))
}

/// Looks how the tasks ended that stand for a step.
async fn gather(store: &Arc<dyn Store>, task: &Claimed, spawned: Spawned, fan_out: &FanOut) -> Result<RunEnd, String> {
    let mut count = FanInCount { total: spawned.count, ..FanInCount::default() };
    let mut offset = 0;
    while offset < spawned.count {
        let part = UpstreamPart::Page { offset, count: spawned.count - offset, bytes: PAGE };
        let page = store.upstream(task.seq, spawned, part).await.map_err(|error| error.to_string())?;
        if page.is_empty() {
            break;
        }
        offset += u32::try_from(page.len()).unwrap_or(u32::MAX);
        page.iter().for_each(|child| count.add(fan_out, child));
    }
    Ok(fan_in(fan_out, &count))
}

/// The ranges that the analyzer cut, or that somebody gave who closed it by hand.
async fn cursors(store: &Arc<dyn Store>, step: &StepRun<'_>, analyzer: u32) -> Result<Vec<Cursor>, String> {
    let Some(name) = step.plan.steps.get(analyzer as usize).map(|step| step.name.as_str()) else {
        return Ok(Vec::new());
    };
    let part = UpstreamPart::Named(name.to_owned());
    let found = store.dependencies(&step.ticket.workflow, step.ticket.place, part).await;
    let Some(task) = found.map_err(|error| error.to_string())?.pop() else { return Ok(Vec::new()) };
    let view = store.get(&task.id).await.map_err(|error| error.to_string())?;
    let Some(view) = view else { return Ok(Vec::new()) };
    if view.state == State::Resolved {
        return Ok(view.result.and_then(|result| cursors_by_hand(&result).ok()).unwrap_or_default());
    }
    let metadata = view.metadata.unwrap_or_else(JsonText::empty_object);
    Ok(BatchPlan::kept_cursors(&metadata))
}

/// What the expressions of a step are about: the workflow's input, and how the steps before it ended.
async fn scope(store: &Arc<dyn Store>, task: &Claimed, step: &StepRun<'_>) -> Result<Scope, String> {
    // A step that runs a program has a payload of its own.
    let input = match step.step().payload {
        None => task.payload.clone(),
        Some(_) => store.input(&step.ticket.workflow).await.map_err(|error| error.to_string())?,
    };
    let mut scope = Scope::new(input);
    let Some(dependencies) = upstream_of(store, step).await.map_err(|error| error.to_string())? else {
        return Ok(scope);
    };
    let mut ended: HashMap<String, StepResult> = HashMap::new();
    for task in dependencies.all(PAGE).await? {
        let (state, result) = match task.end {
            UpstreamEnd::Succeeded(result) => (State::Succeeded, Some(result)),
            UpstreamEnd::Resolved(result) => (State::Resolved, Some(result)),
            UpstreamEnd::Failed(_) => (State::Dead, None),
            UpstreamEnd::Cancelled => (State::Cancelled, None),
            UpstreamEnd::Skipped => (State::Skipped, None),
        };
        ended.insert(task.name, StepResult::new(state, result));
    }
    for place in &step.step().depends_on {
        let Some(before) = step.plan.steps.get(*place as usize) else { continue };
        let name = before.name.as_str();
        if before.fan_out.is_none() {
            if let Some(result) = ended.remove(name) {
                scope = scope.with(name, StepView::One(result));
            }
            continue;
        }
        let instances = (0..).map_while(|index| ended.remove(&instance_name(name, index)));
        scope = scope.with(name, StepView::Each(instances.collect()));
    }
    Ok(scope)
}
