//! Steps that wait for each other.

use std::collections::VecDeque;

use crate::Problem;
use crate::read::Draft;

/// As many steps of a cycle are named.
const NAMED: usize = 20;

/// One shortest cycle of each knot of steps that wait for each other, from its first step; each waits for the next, the
/// last for the first.
pub(super) fn cycles(dependencies: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let knots = knots(dependencies);
    let mut found = Vec::new();
    let mut done = vec![false; dependencies.len()];
    for (place, on) in (0_u32..).zip(dependencies) {
        let knot = knots[place as usize];
        let in_knot = on.iter().any(|other| knots[*other as usize] == knot);
        if in_knot && !std::mem::replace(&mut done[knot], true) {
            found.push(shortest(place, dependencies, &knots));
        }
    }
    found
}

/// What is wrong, with the names and lines of the steps.
pub(super) fn problem(cycle: &[u32], drafts: &[Draft]) -> Problem {
    let first = &drafts[cycle[0] as usize];
    let name = |place: &u32| {
        let draft = &drafts[*place as usize];
        format!("`{}` (line {})", draft.step.name, draft.mark.line)
    };
    let mut path: Vec<String> = cycle.iter().take(NAMED).map(name).collect();
    if cycle.len() > NAMED {
        path.push(format!("{} more", cycle.len() - NAMED));
    }
    path.push(format!("`{}`", first.step.name));
    let next = drafts[cycle[1 % cycle.len()] as usize].step.name.as_str();
    let at = first.depends_on.iter().find(|(name, _)| name == next).map_or(first.mark, |(_, mark)| *mark);
    let message = if cycle.len() == 1 {
        format!("step `{}` waits for itself", first.step.name)
    } else {
        format!("steps wait for each other, so none of them can ever run: {}", path.join(" → "))
    };
    Problem::at(at, message)
}

/// The knot that each step is in: the steps that can be reached from each other (Tarjan), without recursion.
fn knots(dependencies: &[Vec<u32>]) -> Vec<usize> {
    const UNSEEN: usize = usize::MAX;
    let count = dependencies.len();
    let (mut index, mut low, mut knot) = (vec![UNSEEN; count], vec![0; count], vec![UNSEEN; count]);
    let (mut next_index, mut next_knot) = (0, 0);
    let mut open: Vec<usize> = Vec::new();
    for root in 0..count {
        if index[root] != UNSEEN {
            continue;
        }
        // A step, and how many of its dependencies were looked at.
        let mut path = vec![(root, 0)];
        while let Some((step, looked)) = path.pop() {
            if looked == 0 {
                (index[step], low[step]) = (next_index, next_index);
                next_index += 1;
                open.push(step);
            }
            match dependencies[step].get(looked) {
                Some(on) => {
                    let on = *on as usize;
                    path.push((step, looked + 1));
                    if index[on] == UNSEEN {
                        path.push((on, 0));
                    } else if knot[on] == UNSEEN {
                        low[step] = low[step].min(index[on]);
                    }
                }
                None => {
                    if low[step] == index[step] {
                        while let Some(member) = open.pop() {
                            knot[member] = next_knot;
                            if member == step {
                                break;
                            }
                        }
                        next_knot += 1;
                    }
                    if let Some((before, _)) = path.last() {
                        low[*before] = low[*before].min(low[step]);
                    }
                }
            }
        }
    }
    knot
}

/// The shortest way from a step through its knot back to itself.
fn shortest(from: u32, dependencies: &[Vec<u32>], knots: &[usize]) -> Vec<u32> {
    let mut before: Vec<Option<u32>> = vec![None; dependencies.len()];
    let mut queue = VecDeque::from([from]);
    while let Some(step) = queue.pop_front() {
        for on in dependencies[step as usize].iter().filter(|on| knots[**on as usize] == knots[from as usize]) {
            if *on == from {
                let mut path = vec![step];
                while let Some(earlier) = before[path[path.len() - 1] as usize] {
                    path.push(earlier);
                }
                path.reverse();
                return path;
            }
            if before[*on as usize].is_none() {
                before[*on as usize] = Some(step);
                queue.push_back(*on);
            }
        }
    }
    vec![from]
}
