//! Analyzers and the workers of their batches.

use std::collections::HashMap;

use crate::read::FailureStrategy;
use bulkhead_core::{FanOut, FanOutOver, Join};

use super::Findings;
use crate::Problem;
use crate::problem::Guesses;
use crate::read::{Draft, Role};
use crate::shape::quoted;
use crate::yaml::Mark;

/// A worker depends on the analyzer that names it, and a convergence step behind an analyzer waits for its workers, too,
/// whether they say so or not.
pub(super) fn tie_workers(drafts: &mut [Draft]) {
    let mut named: HashMap<String, Vec<(String, Mark)>> = HashMap::new();
    for draft in drafts.iter() {
        if let Role::Analyzer { worker: Some((worker, mark)), .. } = &draft.role {
            named.entry(worker.clone()).or_default().push((draft.step.name.to_string(), *mark));
        }
    }
    for draft in drafts.iter_mut().filter(|draft| draft.role == Role::BatchWorker) {
        for (analyzer, mark) in named.get(draft.step.name.as_str()).into_iter().flatten() {
            if !draft.depends_on.iter().any(|(name, _)| name == analyzer) {
                draft.depends_on.push((analyzer.clone(), *mark));
            }
        }
    }
    let mut workers: HashMap<String, Vec<String>> = HashMap::new();
    for draft in drafts.iter().filter(|draft| draft.role == Role::BatchWorker) {
        for (analyzer, _) in &draft.depends_on {
            workers.entry(analyzer.clone()).or_default().push(draft.step.name.to_string());
        }
    }
    for draft in drafts.iter_mut().filter(|draft| draft.role == Role::Convergence) {
        let behind = draft.depends_on.iter().filter_map(|(name, mark)| Some((workers.get(name)?, *mark)));
        let more: Vec<(String, Mark)> =
            behind.flat_map(|(workers, mark)| workers.iter().map(move |worker| (worker.clone(), mark))).collect();
        for (worker, mark) in more {
            if !draft.depends_on.iter().any(|(name, _)| *name == worker) {
                draft.depends_on.push((worker, mark));
            }
        }
    }
}

/// Each worker has one analyzer, each analyzer a worker; the worker fans out over its ranges.
pub(super) fn check(drafts: &mut [Draft], places: &HashMap<String, u32>, whole: bool, findings: &mut Findings) {
    let mut has_worker = vec![false; drafts.len()];
    for place in 0..drafts.len() {
        let draft = &drafts[place];
        if draft.role != Role::BatchWorker {
            continue;
        }
        let name = &draft.step.name;
        let is_analyzer = |on: &&u32| matches!(drafts[**on as usize].role, Role::Analyzer { .. });
        let analyzers: Vec<u32> = draft.step.depends_on.iter().filter(is_analyzer).copied().collect();
        let [analyzer] = analyzers[..] else {
            if analyzers.is_empty() && whole {
                let message = format!("batch worker `{name}` depends on no `batchable` step, so it can never run");
                let batchable = drafts.iter().filter(|draft| matches!(draft.role, Role::Analyzer { .. }));
                let hint = match quoted(batchable.map(|draft| draft.step.name.as_str()).take(10)) {
                    names if names.is_empty() => "no step has `type: batchable`".to_owned(),
                    names => format!("let it depend on one of {names}"),
                };
                findings.problems.push(Problem::at(draft.mark, message).hint(hint));
            } else if !analyzers.is_empty() {
                let names = quoted(analyzers.iter().map(|place| drafts[*place as usize].step.name.as_str()));
                let message = format!("batch worker `{name}` depends on several `batchable` steps: {names}");
                findings.problems.push(Problem::at(draft.mark, message).hint("give each a worker of its own"));
            }
            continue;
        };
        let Role::Analyzer { worker, strategy } = &drafts[analyzer as usize].role else { continue };
        if let Some((named, _)) = worker
            && named != name.as_str()
        {
            let analyzer = &drafts[analyzer as usize].step.name;
            let message = format!("batch worker `{name}` can never run: the worker of `{analyzer}` is `{named}`");
            findings.problems.push(
                Problem::at(draft.mark, message)
                    .hint(format!("set its `worker_template` to `{name}`, or leave it out")),
            );
            continue;
        }
        let (join, needs_all) = match strategy {
            FailureStrategy::ContinueOnFailure => (Join::BestEffort, false),
            FailureStrategy::FailFast => (Join::Strict, false),
            FailureStrategy::Isolate => (Join::BestEffort, true),
        };
        has_worker[analyzer as usize] = true;
        drafts[place].step.fan_out = Some(FanOut { over: FanOutOver::Batches(analyzer), join, needs_all });
    }
    let mut guesses = Guesses::default();
    for (draft, has_worker) in drafts.iter().zip(has_worker) {
        let Role::Analyzer { worker, .. } = &draft.role else { continue };
        let workers = || drafts.iter().filter(|draft| draft.role == Role::BatchWorker);
        match worker {
            _ if has_worker || !whole => {}
            Some((worker, mark)) if !places.contains_key(worker) => {
                let message = format!("`worker_template` names an unknown step: `{}`", crate::shown(worker));
                let known = workers().map(|draft| draft.step.name.as_str());
                findings.problems.push(Problem::at(*mark, message).guessed(worker, known, &mut guesses));
            }
            Some((worker, mark)) if drafts[places[worker] as usize].role != Role::BatchWorker => {
                let message = format!("`worker_template` names a step that is no batch worker: `{worker}`");
                findings.problems.push(Problem::at(*mark, message).hint("give it `type: batch_worker`"));
            }
            // What is wrong with the worker itself was said.
            Some(_) => {}
            None => {
                let message = format!("`batchable` step `{}` has no batch worker", draft.step.name);
                let hint = "add a step with `type: batch_worker` that depends on it";
                findings.problems.push(Problem::at(draft.mark, message).hint(hint));
            }
        }
    }
}
