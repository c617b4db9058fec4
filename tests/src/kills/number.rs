//! What the guest `effect` makes of a number: for itself, and for those who count what it left.

use std::ops::Range;

/// The numbers of children begin here: three for each number of a parent.
const CHILDREN: usize = 1_000_000;

/// Whether its first attempt fails: one in five.
pub(super) const fn fails_at_first(number: usize) -> bool {
    number % 5 == 3
}

/// The numbers of its children: one in ten has three, which have none.
pub(crate) const fn children_of(number: usize) -> Range<usize> {
    let first = CHILDREN + 3 * number;
    let count = if number < CHILDREN && number % 10 == 6 { 3 } else { 0 };
    first..first + count
}
