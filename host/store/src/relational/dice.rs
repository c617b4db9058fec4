//! Chance, for jitter and for ids; not for secrets.

use std::hash::{BuildHasher, Hasher, RandomState};

/// SplitMix64, seeded from the operating system by way of the standard library's hash keys.
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// A generator with a seed of its own.
    pub(super) fn seeded() -> Self {
        Self(RandomState::new().build_hasher().finish())
    }

    /// The next throw.
    pub(super) fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
