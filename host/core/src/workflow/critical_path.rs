//! Where the time of a workflow went.

use std::collections::HashSet;

use crate::{Timestamp, WorkflowPlan};

/// When a step began and ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StepTimes {
    /// When its first attempt began; none where it never ran.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// A step that the end of the workflow waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CriticalStep {
    /// Its place in the plan.
    pub place: u32,
    /// Since when nothing but the step itself was waited for: the step before it on the path ended, or the workflow began.
    pub since: Timestamp,
    /// When its first attempt began.
    pub started_at: Option<Timestamp>,
    /// When it ended; none where it goes on.
    pub ended_at: Option<Timestamp>,
}

/// The steps that the end of a workflow waited for, one after the other, in their order: the one that ended last, of those
/// that it depends on the one that ended last, and so on. A step that never ran took no time and is passed over.
///
/// `times` are in the order of the plan. Of a workflow that goes on it is the path to the step that runs since longest.
pub fn critical_path(plan: &WorkflowPlan, times: &[StepTimes], began: Timestamp) -> Vec<CriticalStep> {
    let of = |place: u32| times.get(place as usize).copied().unwrap_or_default();
    let has_run = |place: &u32| of(*place).started_at.is_some();
    let places = || (0..u32::try_from(plan.steps.len()).unwrap_or(u32::MAX)).filter(has_run);
    let goes_on = places().filter(|place| of(*place).ended_at.is_none()).min_by_key(|place| of(*place).started_at);
    let mut next = goes_on.or_else(|| places().max_by_key(|place| of(*place).ended_at));
    let mut path: Vec<CriticalStep> = Vec::new();
    // The bound is for a plan that nobody checked.
    while let Some(place) = next.filter(|_| path.len() < plan.steps.len()) {
        next = last_before(plan, place, &of);
        let StepTimes { started_at, ended_at } = of(place);
        let since = next.and_then(|before| of(before).ended_at).unwrap_or(began);
        path.push(CriticalStep { place, since, started_at, ended_at });
    }
    path.reverse();
    path
}

/// Of the steps that ran and that this one waited for, the one that ended last; what never ran stands for what it waited for
/// itself.
fn last_before(plan: &WorkflowPlan, place: u32, of: &impl Fn(u32) -> StepTimes) -> Option<u32> {
    let mut last: Option<u32> = None;
    // Many ways may lead to one step.
    let mut seen = HashSet::new();
    let mut open = vec![place];
    while let Some(place) = open.pop() {
        for before in plan.steps.get(place as usize).map(|step| step.depends_on.as_slice()).unwrap_or_default() {
            if !seen.insert(*before) {
                continue;
            }
            let times = of(*before);
            if times.started_at.is_none() {
                open.push(*before);
            } else if times.ended_at.is_some() && last.is_none_or(|last| of(last).ended_at < times.ended_at) {
                last = Some(*before);
            }
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{PlanStep, StepName, StepRole};

    fn plan(edges: &[&[u32]]) -> WorkflowPlan {
        let step = |(place, depends_on): (usize, &&[u32])| PlanStep {
            name: StepName::parse(format!("s{place}")).expect("a name"),
            role: StepRole::Standard,
            kind: crate::Kind::parse("STEP").expect("a kind"),
            requires: crate::TagSet::default(),
            method: None,
            settings: None,
            payload: None,
            depends_on: depends_on.to_vec(),
            priority: None,
            options: crate::Overrides::default(),
            stale_after: None,
            when: None,
            fan_out: None,
            publishes: Vec::new(),
        };
        let text = |text: &str| text.to_owned();
        let steps = edges.iter().enumerate().map(step).collect();
        WorkflowPlan { namespace: text("n"), name: text("w"), version: text("1.0.0"), max_duration: None, steps }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn ran(from: i64, to: i64) -> StepTimes {
        StepTimes { started_at: Some(at(from)), ended_at: Some(at(to)) }
    }

    fn path(edges: &[&[u32]], times: &[StepTimes]) -> Vec<(u32, i64)> {
        let path = critical_path(&plan(edges), times, at(0));
        path.iter().map(|step| (step.place, step.since.as_millis())).collect()
    }

    #[test]
    fn it_goes_through_the_slower_branch() {
        let diamond: [&[u32]; 4] = [&[], &[0], &[0], &[1, 2]];
        let times = [ran(1, 10), ran(10, 20), ran(12, 50), ran(51, 60)];
        assert_eq!(path(&diamond, &times), [(0, 0), (2, 10), (3, 50)]);
    }

    #[test]
    fn what_never_ran_is_passed_over() {
        let skipped = StepTimes { started_at: None, ended_at: Some(at(10)) };
        let chain: [&[u32]; 3] = [&[], &[0], &[1]];
        assert_eq!(path(&chain, &[ran(1, 10), skipped, ran(11, 12)]), [(0, 0), (2, 10)]);
        assert_eq!(path(&chain, &[StepTimes::default(); 3]), []);
    }

    #[test]
    fn of_a_workflow_that_goes_on_it_leads_to_what_runs_since_longest() {
        let running = |from| StepTimes { started_at: Some(at(from)), ended_at: None };
        let fork: [&[u32]; 3] = [&[], &[0], &[0]];
        assert_eq!(path(&fork, &[ran(1, 10), running(12), running(11)]), [(0, 0), (2, 10)]);
    }

    proptest! {
        /// Each step of the path depends on the one before it, directly or through what never ran; and the parts follow each
        /// other without a gap, from the beginning to the end of what ended last.
        #[test]
        fn it_leads_from_the_beginning_to_the_last_end_without_a_gap(
            edges in proptest::collection::vec(proptest::collection::vec(any::<prop::sample::Index>(), 0..4), 1..20),
            lengths in proptest::collection::vec((0_i64..5, 1_i64..50), 20),
        ) {
            let edges: Vec<Vec<u32>> = edges.iter().enumerate().map(|(place, edges)| {
                let mut edges: Vec<u32> = match place {
                    0 => Vec::new(),
                    _ => edges.iter().map(|edge| u32::try_from(edge.index(place)).expect("few")).collect(),
                };
                edges.sort_unstable();
                edges.dedup();
                edges
            }).collect();
            // As a host would run it: each step begins a moment after the last of those before it has ended.
            let mut times: Vec<StepTimes> = Vec::new();
            for (before, (waits, takes)) in edges.iter().zip(&lengths) {
                let ended = before.iter().filter_map(|before| times[*before as usize].ended_at).max();
                let from = ended.map_or(0, Timestamp::as_millis) + waits;
                times.push(ran(from, from + takes));
            }
            let borrowed: Vec<&[u32]> = edges.iter().map(Vec::as_slice).collect();
            let path = critical_path(&plan(&borrowed), &times, at(0));
            prop_assert_eq!(path.last().and_then(|step| step.ended_at), times.iter().filter_map(|times| times.ended_at).max());
            prop_assert_eq!(path.first().map(|step| step.since), Some(at(0)));
            for pair in path.windows(2) {
                prop_assert_eq!(Some(pair[1].since), pair[0].ended_at);
                prop_assert!(edges[pair[1].place as usize].contains(&pair[0].place));
            }
        }
    }
}
