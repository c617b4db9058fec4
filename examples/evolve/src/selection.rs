//! Which program is changed.

/// The place in the pool, the best first, of the program that a change begins with.
///
/// The first change of a generation begins with the best; for each other, the seed draws two, and the better is taken.
pub(crate) fn parent(seed: u64, generation: u32, change: u32, programs: usize) -> usize {
    if change <= 1 {
        return 0;
    }
    let state = seed ^ (u64::from(generation) << 32) ^ u64::from(change);
    let draw = |number: u64| below(mixed(state.wrapping_add(number.wrapping_mul(STEP))), programs);
    draw(1).min(draw(2))
}

/// The step of SplitMix64.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The mix of SplitMix64.
const fn mixed(state: u64) -> u64 {
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A number below `count`; 0 where that is 0.
fn below(number: u64, count: usize) -> usize {
    let count = u64::try_from(count).unwrap_or(u64::MAX).max(1);
    usize::try_from(number % count).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_change_begins_with_the_best() {
        assert!((0..50).all(|generation| parent(7, generation, 1, 9) == 0));
    }

    #[test]
    fn the_others_begin_with_any_and_with_better_ones_more_often() {
        let mut drawn = [0; 4];
        for change in 2..4002 {
            drawn[parent(0, 1, change, 4)] += 1;
        }
        // 7, 5, 3 and 1 of 16.
        assert!(drawn.windows(2).all(|pair| pair[0] > pair[1] + 300), "{drawn:?}");
        assert!(drawn[3] > 150, "{drawn:?}");
    }

    #[test]
    fn the_same_seed_draws_the_same_and_another_others() {
        let drawn = |seed| (2..40).map(|change| parent(seed, 3, change, 8)).collect::<Vec<_>>();
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
    }

    #[test]
    fn one_program_is_always_the_one() {
        assert_eq!((parent(3, 1, 5, 1), parent(3, 1, 5, 0)), (0, 0));
    }
}
