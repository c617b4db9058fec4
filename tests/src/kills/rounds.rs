//! One life of the host after the other.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;

use super::plan::{Death, Plan};
use crate::{Client, Folder, Host};

/// Tasks in one request: small, so that a life has many commits.
const CHUNK: usize = 50;
/// A host that has not come to its place by then, for want of work, is killed where it is.
const PATIENCE: Duration = Duration::from_secs(7);
/// How often a host is looked at that is to die mid-run.
const LOOK: Duration = Duration::from_millis(1);

/// Submits some of what is left; it leaves the list once the host has said that it has it.
pub(crate) type Feed = fn(&Client, &mut VecDeque<usize>) -> Result<()>;

/// Lives and deaths as planned, and one last life in which everything is submitted; it leaves no host behind.
pub(crate) fn run(folder: &Folder, plan: &Plan, feed: Feed, say: &mut dyn FnMut(String)) -> Result<()> {
    let mut left: VecDeque<usize> = (0..plan.tasks).collect();
    let each = plan.tasks.div_ceil(plan.deaths.len() + 1);
    for (number, death) in plan.deaths.iter().enumerate() {
        let before = left.len();
        // What lives that were cut short did not submit is due in the next, so that the deaths are spread over all tasks.
        let goal = plan.tasks.saturating_sub(each * (number + 1));
        let how = live(folder, death, &mut left, goal, feed)?;
        let death = death.to_string();
        say(format!("{:>3}. {death:<24} {how:<24} {:>6} submitted", number + 1, before - left.len()));
    }
    let host = Host::start(folder, &[])?;
    while !left.is_empty() {
        feed(&host.client, &mut left)?;
    }
    host.kill();
    Ok(())
}

/// One life, in which no more than `goal` tasks are to be left; says how it ended.
fn live(folder: &Folder, death: &Death, left: &mut VecDeque<usize>, goal: usize, feed: Feed) -> Result<String> {
    let point = match death {
        Death::At { point, nth } => format!("{point}:{nth}"),
        Death::MidRun | Death::After(_) => String::new(),
    };
    let environment: &[(&str, &str)] = if point.is_empty() { &[] } else { &[("BULKHEAD_CRASH_POINT", point.as_str())] };
    let mut host = match Host::start(folder, environment) {
        Ok(host) => host,
        Err(error) if !point.is_empty() && !error.to_string().contains("exit status") => {
            return Ok("ended while it started".to_owned());
        }
        Err(error) => return Err(error),
    };
    let began = Instant::now();
    let half = usize::midpoint(left.len(), goal);
    let mut half_is_in = None;
    let mut feeding = true;
    loop {
        if host.wait(Duration::ZERO).is_some() {
            return Ok(format!("died after {} ms", began.elapsed().as_millis()));
        }
        if half_is_in.is_none() && left.len() <= half {
            half_is_in = Some(Instant::now());
        }
        let now_due = match death {
            Death::At { .. } => false,
            Death::MidRun => is_in_a_sandbox(&host.client),
            Death::After(delay) => half_is_in.is_some_and(|at| at.elapsed() > *delay),
        };
        if now_due || began.elapsed() > PATIENCE {
            host.kill();
            return Ok(format!("killed after {} ms", began.elapsed().as_millis()));
        }
        feeding = feeding && left.len() > goal;
        if feeding {
            // Where the host dies under the request, the chunk stays on the list.
            feeding = feed(&host.client, left).is_ok();
        } else {
            std::thread::sleep(LOOK);
        }
    }
}

fn is_in_a_sandbox(client: &Client) -> bool {
    let workers = client.try_get("/v1/workers");
    workers.is_ok_and(|answer| {
        answer.body.pointer("/items/0/in_flight").and_then(serde_json::Value::as_u64).is_some_and(|runs| runs > 0)
    })
}

/// Submits the next tasks.
pub(crate) fn submit_chunk(client: &Client, left: &mut VecDeque<usize>) -> Result<()> {
    let chunk: Vec<usize> = left.iter().copied().take(CHUNK).collect();
    let lines: Vec<String> = chunk
        .iter()
        .map(|number| json!({"id": id_of(*number), "kind": "EFFECT", "payload": number}).to_string())
        .collect();
    let answer = client.try_post("/v1/tasks", "application/x-ndjson", lines.join("\n").as_bytes())?;
    anyhow::ensure!(answer.status == 201, "{answer:?}");
    left.drain(..chunk.len());
    Ok(())
}

/// The id of a task; its number is in it.
pub(super) fn id_of(number: usize) -> String {
    format!("task-{number:06}")
}

/// Waits until none of the tasks is on its way any more; says how long.
pub(crate) fn settle(client: &Client, limit: Duration) -> Result<Duration> {
    let began = Instant::now();
    loop {
        let answer = client.try_get("/v1/tasks?kind=EFFECT&state=ready,running,suspended&count=true");
        // A host that has just lost its database has no answer.
        let open = answer.as_ref().ok().and_then(|answer| answer.body.pointer("/count")?.as_u64());
        if open == Some(0) {
            return Ok(began.elapsed());
        }
        anyhow::ensure!(began.elapsed() < limit, "tasks have not ended after {limit:?}: {answer:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
