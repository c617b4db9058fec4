//! Which parents the model is shown.
//!
//! Better ones more often, and now and then any: a population that only follows its best ends in the first dead end.

use crate::payload::Parent;
use crate::settings::Settings;

/// Chooses so many parents as the settings say, each at most once, the best first.
///
/// One after the other: with the chance `exploration` any of those left, else one by its score, from 0 for the worst of those
/// left to 1 for the best. The same key chooses the same, so that a retry asks the same question.
pub(crate) fn sample<'a>(parents: &'a [Parent], settings: &Settings, key: &str) -> Vec<&'a Parent> {
    let mut random = Random::of(key);
    let mut left: Vec<&Parent> = parents.iter().collect();
    let mut chosen = Vec::new();
    while chosen.len() < settings.parents && !left.is_empty() {
        let index = if random.fraction() < settings.exploration {
            random.below(left.len())
        } else {
            by_score(&left, random.fraction()).unwrap_or_else(|| random.below(left.len()))
        };
        chosen.push(left.remove(index));
    }
    chosen.sort_by(|one, other| other.score.total_cmp(&one.score));
    chosen
}

/// Where a point of the sum of all weights falls; nothing where all are worth the same.
fn by_score(parents: &[&Parent], point: f64) -> Option<usize> {
    // Halved, so that no difference of two large numbers is infinite.
    let scores = || parents.iter().map(|parent| parent.score / 2.0);
    let (worst, best) = (scores().fold(f64::MAX, f64::min), scores().fold(f64::MIN, f64::max));
    if best <= worst {
        return None;
    }
    let weight = |score: f64| (score - worst) / (best - worst);
    let all: f64 = scores().map(weight).sum();
    let mut before = 0.0;
    let found = scores().position(|score| {
        before += weight(score);
        point * all < before
    });
    // Rounding may carry the last sum below the point: the best has the largest share.
    found.or_else(|| scores().position(|score| score == best))
}

/// Numbers that follow from a text and are otherwise arbitrary: FNV-1a, then SplitMix64. Written out, since the same key
/// must give the same numbers in every version.
struct Random(u64);

impl Random {
    fn of(key: &str) -> Self {
        let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        Self(key.bytes().fold(0xcbf2_9ce4_8422_2325, fold))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// At least 0 and below 1.
    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// An index below `count`, which is above 0.
    fn below(&mut self, count: usize) -> usize {
        ((self.fraction() * count as f64) as usize).min(count.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parents(scores: &[f64]) -> Vec<Parent> {
        let parent = |(index, score): (usize, &f64)| Parent { source: index.to_string(), score: *score };
        scores.iter().enumerate().map(parent).collect()
    }

    fn settings(parents: usize, exploration: f64) -> Settings {
        Settings { parents, exploration, ..Settings::default() }
    }

    /// How often each score is chosen in so many draws of one.
    fn shares(scores: &[f64], exploration: f64) -> Vec<usize> {
        let parents = parents(scores);
        let mut counts = vec![0; scores.len()];
        for draw in 0..4000 {
            let chosen = sample(&parents, &settings(1, exploration), &format!("task-{draw}:0"));
            counts[parents.iter().position(|parent| parent == chosen[0]).expect("one of them")] += 1;
        }
        counts
    }

    #[test]
    fn the_same_key_chooses_the_same_and_another_another() {
        let parents = parents(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        let chosen = |key: &str| sample(&parents, &settings(3, 0.2), key);
        assert_eq!(chosen("a:0"), chosen("a:0"));
        assert!((1..20).any(|stage| chosen("a:0") != chosen(&format!("a:{stage}"))));
    }

    #[test]
    fn numbers_of_a_key_never_change() {
        let mut random = Random::of("task-1:0");
        assert_eq!([random.next(), random.next(), random.next()], KNOWN);
    }

    /// SplitMix64 from the FNV-1a hash of `task-1:0`, as another implementation of both gives them.
    const KNOWN: [u64; 3] = [0x856d_3521_ef32_1a34, 0x2c59_460d_67f9_6996, 0xd9a1_b5fa_3dc2_598b];

    #[test]
    fn better_parents_are_chosen_more_often_and_the_worst_by_exploration_alone() {
        let by_score = shares(&[0.0, 1.0, 3.0], 0.0);
        assert_eq!(by_score[0], 0);
        assert!((900..1100).contains(&by_score[1]), "a quarter: {by_score:?}");
        let any = shares(&[0.0, 1.0, 3.0], 1.0);
        assert!(any.iter().all(|count| (1200..1470).contains(count)), "a third each: {any:?}");
    }

    #[test]
    fn only_differences_of_scores_count() {
        assert_eq!(shares(&[0.0, 1.0, 3.0], 0.2), shares(&[-50.0, -40.0, -20.0], 0.2));
    }

    #[test]
    fn equal_extreme_few_and_no_scores_are_chosen_from_too() {
        let same = shares(&[2.0, 2.0], 0.0);
        assert!(same.iter().all(|count| *count > 1800), "{same:?}");
        assert_eq!(shares(&[f64::MIN, f64::MAX], 0.0), [0, 4000]);
        assert_eq!(sample(&[], &settings(3, 0.2), "a:0"), Vec::<&Parent>::new());
        let few = parents(&[1.0, 5.0, 3.0]);
        let order: Vec<f64> = sample(&few, &settings(9, 0.2), "a:0").iter().map(|parent| parent.score).collect();
        assert_eq!(order, [5.0, 3.0, 1.0], "all of them, the best first");
        assert!(sample(&few, &settings(0, 0.2), "a:0").is_empty());
    }
}
