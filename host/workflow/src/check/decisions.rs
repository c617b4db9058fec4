//! Steps that choose, and steps that wait for what was chosen.

use std::collections::HashSet;

use bulkhead_core::{MAX_CHOSEN, MAX_DECISIONS};

use super::Findings;
use crate::Problem;
use crate::read::{Draft, Role};

/// Bounds of decisions, and what their authors should know. `order` has every step after those that it depends on.
pub(super) fn check(drafts: &[Draft], order: &[u32], findings: &mut Findings) {
    let mut chosen = vec![0_usize; drafts.len()];
    // Decisions on the way to a step, itself included; and whether what is before it may be left out or is of unknown number.
    let mut depth = vec![0_u32; drafts.len()];
    let mut varies = vec![false; drafts.len()];
    for place in order {
        let draft = &drafts[*place as usize];
        for on in &draft.step.depends_on {
            let on = *on as usize;
            depth[*place as usize] = depth[*place as usize].max(depth[on]);
            varies[*place as usize] |= varies[on];
            // A convergence step behind a decision waits for what is chosen, and is none of it.
            if drafts[on].role == Role::Decision && draft.role != Role::Convergence {
                chosen[on] += 1;
            }
        }
        findings.warnings.extend(joins_branches(draft, drafts));
        let decides = draft.role == Role::Decision;
        if draft.role == Role::Convergence && !varies[*place as usize] {
            let message =
                format!("convergence step `{}` has no decision, condition or batch before it", draft.step.name);
            let hint = "it waits for all of its dependencies, as a standard step would";
            findings.warnings.push(Problem::at(draft.mark, message).hint(hint));
        }
        varies[*place as usize] |= decides || draft.step.when.is_some() || draft.step.fan_out.is_some();
        if decides {
            depth[*place as usize] += 1;
            if depth[*place as usize] == MAX_DECISIONS + 1 {
                let message = format!("decision `{}` is decision {} on one path", draft.step.name, MAX_DECISIONS + 1);
                let hint = format!("at most {MAX_DECISIONS} decisions may follow one another");
                findings.problems.push(Problem::at(draft.mark, message).hint(hint));
            }
        }
    }
    for (draft, chosen) in drafts.iter().zip(&chosen).filter(|(draft, _)| draft.role == Role::Decision) {
        let name = &draft.step.name;
        if *chosen > MAX_CHOSEN {
            let message = format!("decision `{name}` has {chosen} steps to choose from");
            findings.problems.push(Problem::at(draft.mark, message).hint(format!("at most {MAX_CHOSEN} are allowed")));
        } else if *chosen == 0 {
            let message = format!("decision `{name}` has no steps to choose from");
            findings.warnings.push(Problem::at(draft.mark, message).hint("no step depends on it"));
        }
    }
}

/// An ordinary step behind several branches of one decision is skipped unless all of them are chosen, which few authors mean.
fn joins_branches(draft: &Draft, drafts: &[Draft]) -> Option<Problem> {
    if draft.role == Role::Convergence || draft.step.depends_on.len() < 2 {
        return None;
    }
    let mut seen = HashSet::new();
    let before = draft.step.depends_on.iter().flat_map(|on| &drafts[*on as usize].step.depends_on);
    let mut decisions = before.filter(|on| drafts[**on as usize].role == Role::Decision);
    let twice = decisions.find(|decision| !seen.insert(**decision))?;
    let decision = &drafts[*twice as usize].step.name;
    let message = format!("step `{}` depends on several branches of the decision `{decision}`", draft.step.name);
    let hint = "it is skipped unless all of them are chosen; to wait for those that are, `type: deferred_convergence`";
    Some(Problem::at(draft.mark, message).hint(hint))
}
