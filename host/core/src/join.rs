//! When a task that waits for its children runs again.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::State;

/// When a task that spawned children runs again; fib-flow's join policies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Join {
    /// When all have ended, however they ended.
    #[default]
    BestEffort,
    /// When all have succeeded; the first that ends badly ends the parent, too, without a run.
    Strict,
    /// When so many have succeeded, or can no longer.
    AtLeast(u32),
    /// When the children of these names have succeeded, or one of them ended badly.
    Critical(Vec<String>),
}

impl Join {
    /// Whether a child of this name is one that the parent cannot do without.
    pub fn is_critical(&self, name: Option<&str>) -> bool {
        match self {
            Self::Critical(names) => name.is_some_and(|name| names.iter().any(|critical| critical == name)),
            Self::BestEffort | Self::Strict | Self::AtLeast(_) => false,
        }
    }

    /// Checks that this can be fulfilled by children of these names; else what is wrong, for people.
    pub fn check<'a>(&self, children: impl ExactSizeIterator<Item = Option<&'a str>>) -> Result<(), String> {
        let count = children.len();
        let names: Vec<&str> = children.flatten().collect();
        let unique: HashSet<&str> = names.iter().copied().collect();
        if unique.len() < names.len() {
            return Err("children: two have the same name".to_owned());
        }
        match self {
            Self::AtLeast(needed) if *needed == 0 || *needed as usize > count => {
                Err(format!("join: at-least({needed}) of {count} children; from 1 to {count}"))
            }
            Self::Critical(critical) if critical.is_empty() => Err("join: critical names no child".to_owned()),
            Self::Critical(critical) => match critical.iter().find(|name| !unique.contains(name.as_str())) {
                Some(name) => Err(format!("join: no child is named `{name}`")),
                None => Ok(()),
            },
            Self::BestEffort | Self::Strict | Self::AtLeast(_) => Ok(()),
        }
    }
}

/// How far the children of one spawn have come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JoinCount {
    /// Children in all.
    pub total: u32,
    /// Those that have ended.
    pub ended: u32,
    /// Those of them that ended well.
    pub well: u32,
    /// Children that the parent cannot do without.
    pub critical: u32,
    /// Those of them that ended well.
    pub critical_well: u32,
    /// Those of them that ended badly.
    pub critical_badly: u32,
}

impl JoinCount {
    /// Counts one more child that has ended.
    pub const fn add(&mut self, JoinEnd { state, critical }: JoinEnd) {
        self.ended += 1;
        if ends_well(state) {
            self.well += 1;
        }
        if critical {
            if ends_well(state) {
                self.critical_well += 1;
            } else {
                self.critical_badly += 1;
            }
        }
    }
}

/// The end of a child, as its parent counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JoinEnd {
    /// The state in which it ended.
    pub state: State,
    /// The parent cannot do without it.
    pub critical: bool,
}

impl JoinEnd {
    /// Whether the parent may hear of it later, together with the ends of others: no join fails by it, so that who is
    /// heard of in between makes no difference.
    pub const fn can_wait(self) -> bool {
        ends_well(self.state)
    }
}

impl JoinCount {
    /// What these ends add to a count.
    pub fn of(ends: impl IntoIterator<Item = JoinEnd>) -> Self {
        let mut count = Self::default();
        ends.into_iter().for_each(|end| count.add(end));
        count
    }

    /// The count as it was before these ends were added.
    fn without(self, ends: &[JoinEnd]) -> Self {
        let by = Self::of(ends.iter().copied());
        Self {
            ended: self.ended.saturating_sub(by.ended),
            well: self.well.saturating_sub(by.well),
            critical_well: self.critical_well.saturating_sub(by.critical_well),
            critical_badly: self.critical_badly.saturating_sub(by.critical_badly),
            ..self
        }
    }
}

/// Whether a child in this state counts as one that ended well.
const fn ends_well(end: State) -> bool {
    matches!(end, State::Succeeded | State::Resolved)
}

/// What follows for the parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinStep {
    /// It waits on.
    Wait,
    /// It runs again, one stage on.
    Resume,
    /// It is dead, and its other children are cancelled.
    Fail,
}

/// The parent's next step, once its children have come so far.
pub fn join_step(join: &Join, count: &JoinCount) -> JoinStep {
    let open = count.total.saturating_sub(count.ended);
    let over = match join {
        Join::BestEffort => open == 0,
        Join::Strict if count.ended > count.well => return JoinStep::Fail,
        Join::Strict => count.well >= count.total,
        Join::AtLeast(needed) => count.well >= *needed || count.well + open < *needed,
        Join::Critical(_) => count.critical_badly > 0 || count.critical_well >= count.critical,
    };
    if over { JoinStep::Resume } else { JoinStep::Wait }
}

/// The first of these ends by which the parent does not wait any longer, and the count as it was then: what is counted at
/// once decides as if it had been counted one by one. `after` is the count with all of them.
pub fn first_to_join(join: &Join, after: &JoinCount, ends: &[JoinEnd]) -> Option<(usize, JoinCount)> {
    let mut count = after.without(ends);
    ends.iter().enumerate().find_map(|(place, end)| {
        count.add(*end);
        (join_step(join, &count) != JoinStep::Wait).then_some((place, count))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ENDS: [State; 4] = [State::Succeeded, State::Dead, State::Cancelled, State::Resolved];

    fn joins(total: u32) -> impl Strategy<Value = Join> {
        prop_oneof![
            Just(Join::BestEffort),
            Just(Join::Strict),
            (1..=total).prop_map(Join::AtLeast),
            proptest::sample::subsequence(
                (0..total).map(|child| child.to_string()).collect::<Vec<_>>(),
                1..=total as usize
            )
            .prop_map(Join::Critical),
        ]
    }

    /// What the contract says, child by child.
    fn expected(join: &Join, ends: &[Option<State>]) -> JoinStep {
        let well = |end: &Option<State>| end.is_some_and(ends_well);
        let badly = |end: &Option<State>| end.is_some_and(|end| !ends_well(end));
        let resume = |now: bool| if now { JoinStep::Resume } else { JoinStep::Wait };
        match join {
            Join::BestEffort => resume(ends.iter().all(Option::is_some)),
            Join::Strict if ends.iter().any(badly) => JoinStep::Fail,
            Join::Strict => resume(ends.iter().all(well)),
            Join::AtLeast(needed) => {
                let can = ends.iter().filter(|end| !badly(end)).count();
                resume(ends.iter().filter(|end| well(end)).count() >= *needed as usize || can < *needed as usize)
            }
            Join::Critical(names) => {
                let of = |name: &String| &ends[name.parse::<usize>().unwrap()];
                resume(names.iter().all(|name| well(of(name))) || names.iter().any(|name| badly(of(name))))
            }
        }
    }

    /// How children end, and what their parent counts before any has.
    fn family(join: &Join, ends: &[State]) -> (Vec<JoinEnd>, JoinCount) {
        let end = |(child, state): (usize, &State)| JoinEnd {
            state: *state,
            critical: join.is_critical(Some(&child.to_string())),
        };
        let all: Vec<JoinEnd> = ends.iter().enumerate().map(end).collect();
        let critical = all.iter().filter(|end| end.critical).count() as u32;
        (all, JoinCount { total: ends.len() as u32, critical, ..JoinCount::default() })
    }

    proptest! {
        #[test]
        fn the_parent_goes_on_exactly_when_the_policy_says(
            (join, ends, order) in (1u32..8).prop_flat_map(|total| (
                joins(total),
                proptest::collection::vec(proptest::sample::select(&ENDS[..]), total as usize),
                Just((0..total as usize).collect::<Vec<_>>()).prop_shuffle(),
            ))
        ) {
            let (all, mut count) = family(&join, &ends);
            let mut seen = vec![None; ends.len()];
            for child in order {
                seen[child] = Some(ends[child]);
                count.add(all[child]);
                prop_assert_eq!(join_step(&join, &count), expected(&join, &seen), "{:?}", &seen);
            }
            prop_assert_ne!(join_step(&join, &count), JoinStep::Wait);
        }
    }

    proptest! {
        #[test]
        fn what_is_told_at_once_decides_as_if_told_one_by_one(
            (join, ends, told) in (1u32..8).prop_flat_map(|total| (
                joins(total),
                proptest::collection::vec(proptest::sample::select(&ENDS[..]), total as usize),
                0..=total as usize,
            ))
        ) {
            let (all, mut count) = family(&join, &ends);
            let (before, at_once) = all.split_at(told);
            before.iter().for_each(|end| count.add(*end));
            let mut one_by_one = None;
            for (place, end) in at_once.iter().enumerate() {
                count.add(*end);
                if one_by_one.is_none() && join_step(&join, &count) != JoinStep::Wait {
                    one_by_one = Some((place, count));
                }
            }
            prop_assert_eq!(first_to_join(&join, &count, at_once), one_by_one);
            // In whichever order those that can wait are told, what follows for the parent is the same.
            if at_once.iter().all(|end| end.can_wait()) {
                let reversed: Vec<JoinEnd> = at_once.iter().rev().copied().collect();
                let step = |ends: &[JoinEnd]| first_to_join(&join, &count, ends).map(|(_, count)| join_step(&join, &count));
                prop_assert_eq!(step(at_once), step(&reversed));
            }
        }
    }

    #[test]
    fn a_join_that_cannot_be_fulfilled_is_refused() {
        let names = [Some("a"), None, Some("b")];
        let check = |join: Join| join.check(names.into_iter());
        assert_eq!(check(Join::AtLeast(3)), Ok(()));
        assert!(check(Join::AtLeast(4)).unwrap_err().contains("from 1 to 3"));
        assert!(check(Join::AtLeast(0)).unwrap_err().contains("from 1 to 3"));
        assert_eq!(check(Join::Critical(vec!["b".to_owned()])), Ok(()));
        assert!(check(Join::Critical(vec!["c".to_owned()])).unwrap_err().contains("`c`"));
        assert!(check(Join::Critical(Vec::new())).is_err());
        assert!(Join::Strict.check([Some("a"), Some("a")].into_iter()).unwrap_err().contains("same name"));
    }
}
