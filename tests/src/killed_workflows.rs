//! Kills the host, again and again, while workflows run, and counts what became of every step.
//!
//! Each workflow has an id and an input, a number, of its own. Its steps are of kind EFFECT, and each leaves an effect: one
//! task of kind ROW with the workflow's number, submitted in the very commit that ends it. Some fail at first, and some have
//! children. However often the host died, in the end every workflow must have succeeded, each of its steps once, and the
//! effects of each number must be as many as its steps leave.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::client::text;
use crate::kills::{Engine, Plan, SETTLED, children_of, count_effects, ends, run_rounds, write_rows};
use crate::{Client, Cluster, Folder, Host};

/// A diamond, a list, and what comes together.
const TEMPLATE: &str = "\
name: killed
steps:
  - {name: first, kind: EFFECT}
  - {name: left, kind: EFFECT, depends_on: [first]}
  - {name: right, kind: EFFECT, depends_on: [first]}
  - {name: each, kind: EFFECT, depends_on: [left], for_each: \"[input, input, input, input]\"}
  - {name: never, kind: EFFECT, depends_on: [first], when: input < 0}
  - {name: joined, type: deferred_convergence, kind: EFFECT, depends_on: [right, each, never]}
  - {name: last, kind: EFFECT, depends_on: [joined]}
";

/// Tasks of one workflow that leave an effect: five steps, and the four that stand for `each`.
const RUN: usize = 9;

/// Workflows that are begun in one round of feeding.
const CHUNK: usize = 5;

/// Counted from outside, workflow by workflow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    /// Workflows that were begun.
    pub workflows: usize,
    /// Those that the host does not know.
    pub lost: usize,
    /// Workflows by state.
    pub states: BTreeMap<String, usize>,
    /// Steps whose attempts did not succeed exactly once.
    pub not_once: usize,
    /// Attempts that ended with their worker.
    pub worker_lost: usize,
    /// Numbers with another count of effects than their steps leave.
    pub wrong_effects: usize,
    /// Effects that are there.
    pub effects: usize,
}

impl Ledger {
    /// Whether every workflow succeeded, each step once.
    pub fn check(&self) -> Result<()> {
        ensure!(self.lost == 0, "{} workflows are lost\n{self}", self.lost);
        ensure!(self.states.get("succeeded") == Some(&self.workflows), "not every workflow succeeded\n{self}");
        ensure!(self.not_once == 0, "{} steps did not succeed exactly once\n{self}", self.not_once);
        ensure!(self.wrong_effects == 0, "{} numbers have other effects\n{self}", self.wrong_effects);
        Ok(())
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let states: Vec<String> = self.states.iter().map(|(state, count)| format!("{state} {count}")).collect();
        let rows = [
            ("workflows begun", self.workflows.to_string()),
            ("  by state", states.join(", ")),
            ("  lost", self.lost.to_string()),
            ("steps not succeeded exactly once", self.not_once.to_string()),
            ("attempts cut short by a death", self.worker_lost.to_string()),
            ("effects", self.effects.to_string()),
            ("numbers with other effects", self.wrong_effects.to_string()),
        ];
        write_rows(formatter, &rows)
    }
}

/// Kills as planned, of which `tasks` counts the workflows, and gives the ledger; `say` is told of each round.
pub fn kill_workflows(plan: &Plan, say: &mut dyn FnMut(String)) -> Result<Ledger> {
    let cluster = match plan.engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some(Cluster::start().context("there is no PostgreSQL; next: apt-get install postgresql")?),
    };
    let folder = match &cluster {
        None => Folder::with_guests(&["effect"]),
        Some(cluster) => Folder::on_server(&cluster.url(), "killed", &["effect"], ""),
    };
    std::fs::create_dir_all(folder.path().join("workflows"))?;
    folder.write("workflows/killed.yaml", TEMPLATE);
    say(format!("seed {}: {} workflows, {} deaths, {:?}", plan.seed, plan.tasks, plan.deaths.len(), plan.engine));
    run_rounds(&folder, plan, begin_chunk, say)?;
    let host = Host::start(&folder, &[])?;
    let took = settle(&host.client)?;
    let ledger = count(&host.client, plan.tasks)?;
    ensure!(host.stop() == Some(0), "the host did not stop in order");
    say(format!("{ledger}last workflow ended {:.1} s after the last death", took.as_secs_f64()));
    Ok(ledger)
}

/// Begins the next workflows, one after the other.
fn begin_chunk(client: &Client, left: &mut VecDeque<usize>) -> Result<()> {
    for _ in 0..CHUNK {
        let Some(number) = left.front() else { return Ok(()) };
        let body = json!({"template": "killed", "id": id_of(*number), "input": number}).to_string();
        let answer = client.try_post("/v1/workflows", "application/json", body.as_bytes())?;
        ensure!(answer.status == 201 || answer.status == 200, "{answer:?}");
        left.pop_front();
    }
    Ok(())
}

fn id_of(number: usize) -> String {
    format!("workflow-{number:06}")
}

/// Waits until none of the workflows is on its way any more; says how long.
fn settle(client: &Client) -> Result<Duration> {
    let began = Instant::now();
    loop {
        let answer = client.try_get("/v1/workflows?state=pending,running,waiting,blocked&limit=1");
        let open = answer.as_ref().ok().and_then(|answer| answer.body.pointer("/items")?.as_array().map(Vec::len));
        if open == Some(0) {
            return Ok(began.elapsed());
        }
        ensure!(began.elapsed() < SETTLED, "workflows have not ended after {SETTLED:?}: {answer:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn count(client: &Client, workflows: usize) -> Result<Ledger> {
    let mut ledger = Ledger { workflows, ..Ledger::default() };
    for number in 0..workflows {
        let answer = client.try_get(&format!("/v1/workflows/{}", id_of(number)))?;
        if answer.status == 404 {
            ledger.lost += 1;
            continue;
        }
        ensure!(answer.status == 200, "{answer:?}");
        *ledger.states.entry(text(&answer.body, "/state").to_owned()).or_default() += 1;
        for step in answer.body.pointer("/steps").and_then(Value::as_array).into_iter().flatten() {
            ledger.count_step(client, step)?;
        }
    }
    ledger.count_effects(client)?;
    Ok(ledger)
}

impl Ledger {
    fn count_step(&mut self, client: &Client, step: &Value) -> Result<()> {
        let task = client.try_get(&format!("/v1/tasks/{}", text(step, "/task")))?.body;
        let ends = ends(&task);
        let ended = |how: &str| ends.get(how).copied().unwrap_or_default();
        let wanted = usize::from(text(step, "/name") != "never");
        self.not_once += usize::from(ended("succeeded") != wanted);
        self.worker_lost += ended("worker_lost");
        Ok(())
    }

    fn count_effects(&mut self, client: &Client) -> Result<()> {
        let mut seen: BTreeMap<usize, usize> = BTreeMap::new();
        for number in 0..self.workflows {
            seen.insert(number, 0);
            seen.extend(children_of(number).map(|child| (child, 0)));
        }
        self.effects = count_effects(client, &mut seen)?;
        // Each task of a workflow has the same number, and so have the children of each.
        self.wrong_effects = seen.values().filter(|count| **count != RUN).count();
        Ok(())
    }
}
