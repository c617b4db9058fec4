//! Cycles and orders, at random.

use std::collections::HashSet;

use proptest::prelude::*;

use super::cycles::cycles;
use super::order::order;

/// Up to twelve steps that depend on each other in any way.
fn any() -> impl Strategy<Value = Vec<Vec<u32>>> {
    (1_usize..12).prop_flat_map(|count| {
        let on = prop::collection::btree_set(0..u32::try_from(count).expect("few"), 0..3);
        prop::collection::vec(on.prop_map(|on| on.into_iter().collect()), count)
    })
}

/// Whether a step can be reached from itself, by trying all ways.
fn waits_for_itself(from: u32, dependencies: &[Vec<u32>]) -> bool {
    let (mut seen, mut open) = (HashSet::new(), vec![from]);
    while let Some(step) = open.pop() {
        for on in &dependencies[step as usize] {
            if *on == from {
                return true;
            }
            if seen.insert(*on) {
                open.push(*on);
            }
        }
    }
    false
}

proptest! {
    #[test]
    fn there_is_a_cycle_exactly_if_some_step_waits_for_itself(dependencies in any()) {
        let some = (0_u32..).take(dependencies.len()).any(|step| waits_for_itself(step, &dependencies));
        prop_assert_eq!(!cycles(&dependencies).is_empty(), some);
    }

    #[test]
    fn what_is_called_a_cycle_is_one(dependencies in any()) {
        for cycle in cycles(&dependencies) {
            for (place, step) in cycle.iter().enumerate() {
                let next = cycle[(place + 1) % cycle.len()];
                prop_assert!(dependencies[*step as usize].contains(&next), "{cycle:?}");
            }
            let once: HashSet<&u32> = cycle.iter().collect();
            prop_assert_eq!(once.len(), cycle.len());
        }
    }

    #[test]
    fn every_step_comes_after_those_that_it_depends_on(dependencies in any()) {
        let order = order(&dependencies);
        let place = |step: &u32| order.iter().position(|other| other == step);
        for (at, step) in order.iter().enumerate() {
            for on in &dependencies[*step as usize] {
                prop_assert!(place(on).is_some_and(|before| before < at));
            }
        }
        if cycles(&dependencies).is_empty() {
            prop_assert_eq!(order.len(), dependencies.len());
        }
    }
}

#[test]
fn ten_thousand_steps_in_a_row_are_no_burden() {
    let mut row: Vec<Vec<u32>> = (0_u32..10_000).map(|place| place.checked_sub(1).into_iter().collect()).collect();
    assert!(cycles(&row).is_empty());
    assert_eq!(order(&row).len(), row.len());
    row[0].push(9_999);
    assert_eq!(cycles(&row)[0].len(), 10_000);
}
