//! Who is asked next.

use std::time::Duration;

/// How a backend is to all candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It takes a request now.
    Free,
    /// All its slots are taken.
    Busy,
    /// It asked to be left alone for so long.
    Waits(Duration),
    /// It failed too often in a row, and is left alone for so long.
    Rests(Duration),
}

/// How a backend is to one candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Past {
    /// Not asked in this round.
    Fresh,
    /// It failed in this round, and may do better in the next.
    Failed,
    /// It would answer the same again.
    Out,
}

/// A backend as one candidate sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    pub(crate) weight: u32,
    pub(crate) standing: Standing,
    pub(crate) past: Past,
}

/// What a candidate does next; backends are numbered as they were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// It asks this one.
    Ask(usize),
    /// It waits for a slot at one of these.
    Queue(Vec<usize>),
    /// It waits so long, and begins a new round.
    Wait(Duration),
    /// It ends: no backend can be waited for.
    GiveUp,
}

/// Decides on the next step: within a round every backend is asked once at most, and the next round begins after `pause`.
///
/// `chance`, from 0 to 1, chooses among those that could be asked, by their weights.
pub(crate) fn next_step(views: &[View], pause: Duration, chance: f64) -> Step {
    let all = |wanted: &dyn Fn(&View) -> bool| -> Vec<usize> {
        views.iter().enumerate().filter(|(_, view)| wanted(view)).map(|(index, _)| index).collect()
    };
    let fresh = |standing: Standing| all(&|view| view.past == Past::Fresh && view.standing == standing);
    let free = fresh(Standing::Free);
    if let Some(index) = weighted(views, &free, chance) {
        return Step::Ask(index);
    }
    let busy = fresh(Standing::Busy);
    if !busy.is_empty() {
        return Step::Queue(busy);
    }
    let wait = |view: &View| {
        let after = match view.past {
            Past::Fresh => Duration::ZERO,
            Past::Failed => pause,
            Past::Out => return None,
        };
        match view.standing {
            Standing::Free | Standing::Busy => Some(after),
            // The pause comes on top, so that those who were sent away together do not come back together.
            Standing::Waits(wait) => Some(wait + pause),
            Standing::Rests(_) => None,
        }
    };
    views.iter().filter_map(wait).min().map_or(Step::GiveUp, Step::Wait)
}

/// One of these, by weight; any where none has one.
fn weighted(views: &[View], among: &[usize], chance: f64) -> Option<usize> {
    let weight = |index: usize| views.get(index).map_or(0, |view| u64::from(view.weight));
    let total: u64 = among.iter().map(|&index| weight(index)).sum();
    if total == 0 {
        let place = (chance * among.len() as f64) as usize;
        return among.get(place.min(among.len().saturating_sub(1))).copied();
    }
    let mut rest = ((chance * total as f64) as u64).min(total - 1);
    for &index in among {
        let weight = weight(index);
        if rest < weight {
            return Some(index);
        }
        rest -= weight;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAUSE: Duration = Duration::from_millis(100);
    const SECOND: Duration = Duration::from_secs(1);

    fn view(weight: u32, standing: Standing, past: Past) -> View {
        View { weight, standing, past }
    }

    #[test]
    fn a_free_slot_goes_before_a_busy_one_whatever_the_weights() {
        let views = [view(100, Standing::Busy, Past::Fresh), view(1, Standing::Free, Past::Fresh)];
        assert_eq!(next_step(&views, PAUSE, 0.0), Step::Ask(1));
    }

    #[test]
    fn after_a_failure_the_others_are_asked_and_then_all_again_after_a_pause() {
        let failed = view(9, Standing::Free, Past::Failed);
        assert_eq!(next_step(&[failed, view(1, Standing::Free, Past::Fresh)], PAUSE, 0.0), Step::Ask(1));
        assert_eq!(next_step(&[failed, view(1, Standing::Busy, Past::Fresh)], PAUSE, 0.0), Step::Queue(vec![1]));
        assert_eq!(next_step(&[failed, view(1, Standing::Rests(SECOND), Past::Fresh)], PAUSE, 0.0), Step::Wait(PAUSE));
        let waits = view(1, Standing::Waits(SECOND), Past::Failed);
        assert_eq!(next_step(&[waits], PAUSE, 0.0), Step::Wait(SECOND + PAUSE));
        assert_eq!(next_step(&[failed, waits], PAUSE, 0.0), Step::Wait(PAUSE));
    }

    #[test]
    fn nobody_waits_for_one_that_rests_or_would_say_the_same_again() {
        let resting = view(1, Standing::Rests(SECOND), Past::Fresh);
        assert_eq!(next_step(&[resting, view(1, Standing::Free, Past::Out)], PAUSE, 0.5), Step::GiveUp);
        assert_eq!(next_step(&[], PAUSE, 0.5), Step::GiveUp);
    }

    #[test]
    fn one_of_weight_nothing_is_asked_where_no_other_can_be() {
        let views = [view(0, Standing::Free, Past::Fresh), view(1, Standing::Free, Past::Fresh)];
        for chance in [0.0, 0.5, 0.999, 1.0] {
            assert_eq!(next_step(&views, PAUSE, chance), Step::Ask(1));
            assert_eq!(next_step(&views[..1], PAUSE, chance), Step::Ask(0));
        }
        let spare = [view(0, Standing::Free, Past::Fresh); 3];
        let asked = [0.0, 0.4, 0.9, 1.0].map(|chance| next_step(&spare, PAUSE, chance));
        assert_eq!(asked, [0, 1, 2, 2].map(Step::Ask));
    }

    #[test]
    fn weights_are_the_shares_over_all_chances() {
        let views = [1, 0, 6, 3].map(|weight| view(weight, Standing::Free, Past::Fresh));
        let mut asked = [0; 4];
        for chance in 0..1_000 {
            if let Step::Ask(index) = next_step(&views, PAUSE, f64::from(chance) / 1_000.0) {
                asked[index] += 1;
            }
        }
        assert_eq!(asked, [100, 0, 600, 300]);
    }

    fn any_view() -> impl Strategy<Value = View> {
        let standing = prop_oneof![
            Just(Standing::Free),
            Just(Standing::Busy),
            (0u64..100).prop_map(|millis| Standing::Waits(Duration::from_millis(millis))),
            (0u64..100).prop_map(|millis| Standing::Rests(Duration::from_millis(millis))),
        ];
        let past = prop_oneof![Just(Past::Fresh), Just(Past::Failed), Just(Past::Out)];
        (0u32..4, standing, past).prop_map(|(weight, standing, past)| View { weight, standing, past })
    }

    proptest! {
        #[test]
        fn only_one_that_is_free_and_not_yet_asked_is_asked(
            views in proptest::collection::vec(any_view(), 0..6),
            chance in 0.0f64..=1.0,
        ) {
            let can = |view: &View, standing| view.past == Past::Fresh && view.standing == standing;
            match next_step(&views, PAUSE, chance) {
                Step::Ask(index) => prop_assert!(can(&views[index], Standing::Free)),
                Step::Queue(among) => {
                    prop_assert!(among.iter().all(|&index| can(&views[index], Standing::Busy)));
                    prop_assert!(!views.iter().any(|view| can(view, Standing::Free)));
                }
                Step::Wait(_) | Step::GiveUp => prop_assert!(!views.iter().any(|view| can(view, Standing::Free))),
            }
        }
    }
}
