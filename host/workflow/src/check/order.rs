//! Steps in an order in which they can run.

/// Every step after those that it depends on; steps that wait for each other are left out.
pub(super) fn order(dependencies: &[Vec<u32>]) -> Vec<u32> {
    let mut waits: Vec<usize> = dependencies.iter().map(Vec::len).collect();
    let mut dependents: Vec<Vec<u32>> = vec![Vec::new(); dependencies.len()];
    for (place, on) in (0_u32..).zip(dependencies) {
        for other in on {
            dependents[*other as usize].push(place);
        }
    }
    let mut order: Vec<u32> = (0_u32..).zip(&waits).filter(|(_, waits)| **waits == 0).map(|(place, _)| place).collect();
    let mut next = 0;
    while let Some(place) = order.get(next).copied() {
        next += 1;
        for dependent in &dependents[place as usize] {
            waits[*dependent as usize] -= 1;
            if waits[*dependent as usize] == 0 {
                order.push(*dependent);
            }
        }
    }
    order
}
