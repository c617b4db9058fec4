//! What is left of tasks of the guest `effect`.

use super::number::{children_of, fails_at_first};

/// How many attempts a task is charged.
pub const fn attempts_of(number: usize) -> u64 {
    if fails_at_first(number) { 2 } else { 1 }
}

/// Each number that leaves an effect, where so many tasks are submitted.
pub(super) fn numbers(tasks: usize) -> impl Iterator<Item = usize> {
    (0..tasks).chain((0..tasks).flat_map(children_of))
}

/// How many effects the tasks with the numbers below this one leave, those of their children included.
pub fn effects_of(tasks: usize) -> usize {
    numbers(tasks).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tenth_task_has_three_children_of_its_own() {
        let all: Vec<usize> = numbers(20).collect();
        assert_eq!((all.len(), effects_of(20)), (26, 26));
        assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), 26);
        assert!(all.contains(&1_000_018) && all.contains(&1_000_050));
    }
}
