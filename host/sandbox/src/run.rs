//! One run: a fresh store, `dispatch`, `handle`, and what came of it.

use std::time::{Duration, Instant};

use bulkhead_core::{RunEnd, TagSet};
use wasmtime::{Engine, Store};

use crate::bindings::exports::bulkhead::handler::handler::Task;
use crate::component::Ready;
use crate::epoch::{FIRST_LOOK, on_epoch};
use crate::fence::fenced;
use crate::host_state::HostState;
use crate::run_error::{Phase, run_end};
use crate::transition::on_transition;
use crate::{Handler, RunReport, RunRequest, outcome};

/// `dispatch` is to be quick: so much fuel, and so much more for each byte that it may look at.
const DISPATCH_FUEL: u64 = 10_000_000;
const DISPATCH_FUEL_PER_BYTE: u64 = 50;
/// How long `dispatch` may take.
const DISPATCH_TIMEOUT: Duration = Duration::from_millis(100);

/// Beside the result, what a guest may pass in one call or answer: logs, child tasks, what a delegate takes.
const PASSED_BYTES: u64 = 16 << 20;
/// Resource handles of one guest.
const MAX_HANDLES: usize = 10_000;

/// Makes one run in a store of its own.
pub(crate) async fn run(engine: &Engine, handler: &Handler, ready: &Ready, mut request: RunRequest<'_>) -> RunReport {
    let control = std::sync::Arc::clone(&request.control);
    let started = control.now();
    let deadline = started + request.limits.timeout;
    let mut store = store(engine, HostState::for_run(handler, &mut request, deadline));
    let result_bytes = request.limits.result.bytes();
    store.set_hostcall_fuel(
        usize::try_from(result_bytes.saturating_mul(2).saturating_add(PASSED_BYTES)).unwrap_or(usize::MAX),
    );
    let mut run = Run { store, deadline, fuel_used: 0 };
    let end = match request.control.stopped() {
        Some(why) => why.run_end(),
        None => run.enter(ready, &request).await.unwrap_or_else(|end| end),
    };
    let Run { store, fuel_used, .. } = run;
    let mut store = store;
    store.data_mut().tell_what_was_refused();
    let (peak_memory, dropped_log_bytes) = (store.data().limiter.peak(), store.data().finish_log());
    drop(store);
    RunReport {
        end,
        fuel: fuel_used,
        peak_memory,
        elapsed: control.now().saturating_duration_since(started),
        dropped_log_bytes,
    }
}

/// A store behind all fences, without fuel.
pub(crate) fn store(engine: &Engine, host: HostState) -> Store<HostState> {
    let mut store = Store::new(engine, host);
    store.limiter(|host| &mut host.limiter);
    store.call_hook(on_transition);
    store.epoch_deadline_callback(on_epoch);
    store.set_epoch_deadline(FIRST_LOOK);
    store.set_max_component_handles(MAX_HANDLES);
    store
}

struct Run {
    store: Store<HostState>,
    deadline: Instant,
    fuel_used: u64,
}

impl Run {
    async fn enter(&mut self, ready: &Ready, request: &RunRequest<'_>) -> Result<RunEnd, RunEnd> {
        let tags = tags(request.requires);
        let task = Task {
            id: request.id,
            kind: request.kind,
            payload: request.payload,
            requires: &tags,
            attempt: request.attempt,
            max_attempts: request.max_attempts,
            stage: request.stage,
        };
        let control = &request.control;
        let fuel = request.limits.fuel.units();

        self.begin(fuel, self.deadline)?;
        let instance = fenced(ready.instantiate(&mut self.store), self.deadline, control).await;
        let entry = self.settle(Phase::Instantiate, fuel, instance)?;
        let handle_fuel = fuel.saturating_sub(self.fuel_used).max(1);

        let budget = DISPATCH_FUEL.saturating_add(DISPATCH_FUEL_PER_BYTE.saturating_mul(request.payload.len() as u64));
        let dispatch_deadline = self.deadline.min(control.now() + DISPATCH_TIMEOUT);
        self.begin(budget, dispatch_deadline)?;
        let wanted =
            fenced(entry.dispatch.call_async(&mut self.store, (task.clone(),)), dispatch_deadline, control).await;
        let (wanted,) = self.settle(Phase::Call, budget, wanted)?;
        if !wanted {
            return Ok(RunEnd::Declined("dispatch".to_owned()));
        }

        self.begin(handle_fuel, self.deadline)?;
        self.store.data_mut().open_delegates();
        let answer = fenced(entry.handle.call_async(&mut self.store, (task,)), self.deadline, control).await;
        let (answer,) = self.settle(Phase::Call, handle_fuel, answer)?;
        Ok(outcome::run_end(answer, &request.limits))
    }

    /// Begins a phase with a budget and a deadline of its own.
    fn begin(&mut self, fuel: u64, deadline: Instant) -> Result<(), RunEnd> {
        let host = self.store.data_mut();
        host.deadline = deadline;
        self.store.set_fuel(fuel).map_err(|error| run_end(&error, Phase::Instantiate, self.store.data()))
    }

    /// Takes account of a phase's fuel, and gives its answer or how it ended the run.
    fn settle<T>(
        &mut self,
        phase: Phase,
        budget: u64,
        answer: Result<wasmtime::Result<T>, RunEnd>,
    ) -> Result<T, RunEnd> {
        let left = self.store.get_fuel().unwrap_or(0);
        let used = budget.saturating_sub(left).saturating_add(self.store.data().meter.owed());
        self.fuel_used = self.fuel_used.saturating_add(used.min(budget));
        let answer = answer?.map_err(|error| run_end(&error, phase, self.store.data()))?;
        if used > budget { Err(RunEnd::OutOfFuel) } else { Ok(answer) }
    }
}

/// The tags as the contract passes them; most tasks require none, which costs nothing.
fn tags(requires: &TagSet) -> Vec<&str> {
    requires.iter().map(bulkhead_core::Tag::as_str).collect()
}
