//! Steps that choose, and steps that wait for what was chosen.

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
            chosen[on] += 1;
            depth[*place as usize] = depth[*place as usize].max(depth[on]);
            varies[*place as usize] |= varies[on];
            if draft.role == Role::Convergence && drafts[on].role == Role::Decision {
                let (step, decision) = (&draft.step.name, &drafts[on].step.name);
                let message = format!("convergence step `{step}` depends on the decision `{decision}` itself");
                let hint = "it then runs only if the decision names it; let it depend on the branches alone";
                findings.warnings.push(Problem::at(draft.mark, message).hint(hint));
            }
        }
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
