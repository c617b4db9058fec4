//! How large a family of tasks may grow.

use crate::Limit;

/// Generations of children above a task; fib-flow's depth.
pub const MAX_GENERATIONS: u32 = 32;

/// Which limit a spawn goes beyond, if any: where its children would have so many generations above them, and the first of
/// the family so many descendants, of which so many are allowed.
pub const fn family_limit(generations: u32, descendants: u64, max_descendants: u64) -> Option<Limit> {
    if generations > MAX_GENERATIONS {
        Some(Limit::Depth)
    } else if descendants > max_descendants {
        Some(Limit::Descendants)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_may_grow_to_its_limits_and_no_further() {
        assert_eq!(family_limit(32, 1_000, 1_000), None);
        assert_eq!(family_limit(33, 1, 1_000), Some(Limit::Depth));
        assert_eq!(family_limit(1, 1_001, 1_000), Some(Limit::Descendants));
        assert_eq!(family_limit(33, 1_001, 1_000), Some(Limit::Depth));
    }
}
