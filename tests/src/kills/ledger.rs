//! What became of every task.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use jiff::Timestamp;
use serde_json::Value;

use super::rounds::{id_of, settle};
use super::work::{attempts_of, numbers};
use crate::client::text;
use crate::{Client, Folder, Host};

/// Tasks that lost their worker wait up to a minute before they run again, and some then run alone.
pub(crate) const SETTLED: Duration = Duration::from_secs(300);

/// So many questions are asked at once.
const ASKING: usize = 4;

/// Counted from outside, task by task and effect by effect.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    /// Tasks that were submitted.
    pub tasks: usize,
    /// Tasks that the host does not know.
    pub lost: usize,
    /// Tasks by state, and reason where there is one.
    pub states: BTreeMap<String, usize>,
    /// Tasks with another result than their own.
    pub wrong: usize,
    /// Tasks whose attempts did not succeed exactly once.
    pub not_once: usize,
    /// Tasks that were charged another number of attempts than their own.
    pub charged: usize,
    /// Attempts that ended with their worker.
    pub worker_lost: usize,
    /// The worker of each of these, and when that was noticed.
    pub losses: Vec<(String, Timestamp)>,
    /// Effects that must be there: one for each task, and for each child.
    pub expected: usize,
    /// Tasks, and children, that have succeeded.
    pub succeeded: usize,
    /// Effects that are there.
    pub effects: usize,
    /// Tasks and children without their effect.
    pub effects_missing: usize,
    /// Tasks and children with more than one.
    pub effects_twice: usize,
}

impl Ledger {
    /// Whether every task succeeded once, and none is lost.
    pub fn check(&self) -> Result<()> {
        ensure!(self.lost == 0, "{} tasks are lost\n{self}", self.lost);
        ensure!(self.states.get("succeeded") == Some(&self.tasks), "not every task succeeded\n{self}");
        ensure!(self.wrong == 0, "{} tasks have another's result\n{self}", self.wrong);
        ensure!(self.not_once == 0, "{} tasks did not succeed exactly once\n{self}", self.not_once);
        ensure!(self.charged == 0, "{} tasks were charged for a lost worker\n{self}", self.charged);
        ensure!(self.effects_missing == 0, "{} effects are missing\n{self}", self.effects_missing);
        ensure!(self.effects_twice == 0, "{} effects are there twice\n{self}", self.effects_twice);
        ensure!(self.succeeded == self.expected, "{} succeeded, with children\n{self}", self.succeeded);
        ensure!(self.effects == self.expected, "{} effects\n{self}", self.effects);
        Ok(())
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let states: Vec<String> = self.states.iter().map(|(state, count)| format!("{state} {count}")).collect();
        let rows = [
            ("tasks submitted", self.tasks.to_string()),
            ("  by state", states.join(", ")),
            ("  lost", self.lost.to_string()),
            ("  with a wrong result", self.wrong.to_string()),
            ("  not succeeded exactly once", self.not_once.to_string()),
            ("  charged for a lost worker", self.charged.to_string()),
            ("attempts cut short by a death", self.worker_lost.to_string()),
            ("succeeded, with children", self.succeeded.to_string()),
            ("effects", format!("{} of {}", self.effects, self.expected)),
            ("  missing", self.effects_missing.to_string()),
            ("  twice", self.effects_twice.to_string()),
        ];
        write_rows(formatter, &rows)
    }
}

/// Lets the host finish in peace, and counts; says how long it took to finish.
pub(super) fn draw_up(folder: &Folder, tasks: usize) -> Result<(Ledger, Duration)> {
    let host = Host::start(folder, &[])?;
    let took = settle(&host.client, SETTLED)?;
    let ledger = Ledger::count(&host.client, tasks)?;
    ensure!(host.stop() == Some(0), "the host did not stop in order");
    Ok((ledger, took))
}

impl Ledger {
    /// Counts what became of the tasks.
    pub(crate) fn count(client: &Client, tasks: usize) -> Result<Self> {
        let mut ledger = Self { tasks, ..Self::default() };
        let numbers: Vec<usize> = (0..tasks).collect();
        let count = |numbers: &[usize]| {
            let mut part = Self::default();
            numbers.iter().try_for_each(|number| part.count_task(client, *number)).map(|()| part)
        };
        for part in at_once(&numbers, count)? {
            ledger.add(part);
        }
        let succeeded = client.try_get("/v1/tasks?kind=EFFECT&state=succeeded&count=true")?.body;
        let succeeded = succeeded.pointer("/count").and_then(Value::as_u64);
        ledger.succeeded = succeeded.and_then(|count| usize::try_from(count).ok()).unwrap_or_default();
        ledger.count_effects(client)?;
        Ok(ledger)
    }

    fn add(&mut self, part: Self) {
        for (state, count) in part.states {
            *self.states.entry(state).or_default() += count;
        }
        self.lost += part.lost;
        self.wrong += part.wrong;
        self.not_once += part.not_once;
        self.charged += part.charged;
        self.worker_lost += part.worker_lost;
        self.losses.extend(part.losses);
    }

    fn count_task(&mut self, client: &Client, number: usize) -> Result<()> {
        let answer = client.try_get(&format!("/v1/tasks/{}", id_of(number)))?;
        if answer.status == 404 {
            self.lost += 1;
            return Ok(());
        }
        ensure!(answer.status == 200, "{answer:?}");
        let task = answer.body;
        let state = [text(&task, "/state"), text(&task, "/reason")].join(" ").trim_end().to_owned();
        *self.states.entry(state).or_default() += 1;
        self.wrong += usize::from(task.pointer("/result").and_then(Value::as_u64) != Some(number as u64));
        self.charged += usize::from(task.pointer("/attempt").and_then(Value::as_u64) != Some(attempts_of(number)));
        let ends = ends(&task);
        self.not_once += usize::from(ends.get("succeeded") != Some(&1));
        self.worker_lost += ends.get("worker_lost").copied().unwrap_or_default();
        let attempts = task.pointer("/attempts").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let lost = attempts.iter().filter(|attempt| text(attempt, "/end") == "worker_lost");
        self.losses.extend(lost.filter_map(|attempt| {
            Some((text(attempt, "/worker").to_owned(), text(attempt, "/ended_at").parse().ok()?))
        }));
        Ok(())
    }

    fn count_effects(&mut self, client: &Client) -> Result<()> {
        let mut seen: BTreeMap<usize, usize> = numbers(self.tasks).map(|number| (number, 0)).collect();
        self.expected = seen.len();
        self.effects = count_effects(client, &mut seen)?;
        self.effects_missing = seen.values().filter(|count| **count == 0).count();
        self.effects_twice = seen.values().filter(|count| **count > 1).count();
        Ok(())
    }
}

/// Adds up the effects of each number, and gives how many there are; one of any other number is an error.
pub(crate) fn count_effects(client: &Client, seen: &mut BTreeMap<usize, usize>) -> Result<usize> {
    let (mut effects, mut cursor) = (0, String::new());
    loop {
        let page = client.try_get(&format!("/v1/tasks?kind=ROW&limit=1000{cursor}"))?;
        ensure!(page.status == 200, "{page:?}");
        let rows = page.body.pointer("/items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let whole = |rows: &[Value]| -> Result<Vec<Value>> {
            rows.iter().map(|row| Ok(client.try_get(&format!("/v1/tasks/{}", text(row, "/id")))?.body)).collect()
        };
        for row in at_once(rows, whole)?.into_iter().flatten() {
            let number = row.pointer("/payload").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
            let count = number.and_then(|number| seen.get_mut(&number));
            *count.ok_or_else(|| anyhow!("an effect of nobody: {row}"))? += 1;
            effects += 1;
        }
        match text(&page.body, "/next") {
            "" => return Ok(effects),
            next => cursor = format!("&cursor={next}"),
        }
    }
}

/// Does this for parts of all of them, side by side: every task is asked for, one by one.
fn at_once<T: Sync, R: Send>(all: &[T], part: impl Fn(&[T]) -> Result<R> + Sync) -> Result<Vec<R>> {
    let size = all.len().div_ceil(ASKING).max(1);
    std::thread::scope(|scope| {
        let part = &part;
        let parts: Vec<_> = all.chunks(size).map(|some| scope.spawn(move || part(some))).collect();
        parts.into_iter().map(|part| part.join().map_err(|_| anyhow!("whoever counted has panicked"))?).collect()
    })
}

/// How often each end is among the attempts of a task.
pub(crate) fn ends(task: &Value) -> BTreeMap<&str, usize> {
    let mut ends = BTreeMap::new();
    for attempt in task.pointer("/attempts").and_then(Value::as_array).into_iter().flatten() {
        *ends.entry(text(attempt, "/end")).or_default() += 1;
    }
    ends
}

/// Writes a table of two columns.
pub(crate) fn write_rows(formatter: &mut fmt::Formatter<'_>, rows: &[(&str, String)]) -> fmt::Result {
    rows.iter().try_for_each(|(name, value)| writeln!(formatter, "{name:<34}{value:>18}"))
}
