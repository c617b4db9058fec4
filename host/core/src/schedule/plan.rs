//! What becomes of the ticks that are due.

use serde::{Deserialize, Serialize};

use super::{MAX_MADE_UP, MissedRule, OverlapRule, Recurrence, ScheduleRules};
use crate::Timestamp;

/// The most ticks that wait for an earlier task to end; a queue needs a bound, and this one is the contract's.
pub const MAX_WAITING: usize = MAX_MADE_UP;

/// How far a schedule has come; the store keeps it, and changes it in the commit that makes the tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleProgress {
    /// Every tick up to this moment has been decided upon.
    pub handled: Timestamp,
    /// Ticks that will be tasks once the earlier ones have ended, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<Timestamp>,
}

impl ScheduleProgress {
    /// Of a schedule that was made at this moment: no earlier tick counts.
    pub fn new(made_at: Timestamp) -> Self {
        Self { handled: made_at, waiting: Vec::new() }
    }

    /// Of a schedule that was paused until this moment: the ticks of the pause are not missed, they never were.
    pub fn resumed(self, at: Timestamp) -> Self {
        Self { handled: self.handled.max(at), ..self }
    }
}

/// Whether the tasks of earlier ticks have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EarlierTask {
    /// All of them have, or there are none.
    Ended,
    /// One has not.
    Unfinished,
}

/// Why a tick makes no task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TickSkip {
    /// It was missed, and is not made up for.
    Missed,
    /// The task of an earlier tick has not ended.
    StillRunning,
    /// A newer tick takes its place.
    Replaced,
    /// [`MAX_WAITING`] others wait already.
    LineFull,
}

/// What to do about a schedule, all of it in one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedulePlan {
    /// The tick that is a task from now on. There is never more than one: a schedule has one task at a time.
    pub make: Option<Timestamp>,
    /// Whether the tasks of earlier ticks that have not ended are to be cancelled.
    pub cancel_earlier: bool,
    /// For each reason the newest tick that was passed over for it, to be told.
    pub skipped: Vec<(TickSkip, Timestamp)>,
    /// What to keep.
    pub progress: ScheduleProgress,
    /// When to look again: the next tick. None where there will be none.
    pub look_at: Option<Timestamp>,
    /// Whether to look as well as soon as the tasks of earlier ticks have ended, because others wait for that.
    pub look_when_ended: bool,
}

/// Decides what becomes of the ticks that are due at `now`.
///
/// A tick is **missed** when it is handled more than the grace after it was due, which is when no host was up; a tick that
/// waits for an earlier task is handled already, and is not missed by that. First the rule for missed ticks says which of
/// the due ticks count, then the rule for overlaps what becomes of those that count.
///
/// The same arguments give the same plan. Two hosts that plan at once must not both commit: the store changes the progress
/// only where it is still the one that was given, and the key of a tick's task is the second fence.
pub fn plan_ticks(
    recurrence: &Recurrence,
    rules: &ScheduleRules,
    progress: &ScheduleProgress,
    now: Timestamp,
    earlier: EarlierTask,
) -> SchedulePlan {
    let mut skipped = Vec::new();
    let due = Due::find(recurrence, rules, progress.handled, now, &mut skipped);
    let handled = due.newest.unwrap_or(progress.handled);
    let (made, waiting) = match rules.overlap {
        OverlapRule::Skip => due.skip_if_busy(&progress.waiting, earlier, &mut skipped),
        OverlapRule::Queue => in_line(&progress.waiting, due.counted(), earlier, &mut skipped),
        OverlapRule::Replace => newest_of(&progress.waiting, due.counted(), &mut skipped),
    };
    SchedulePlan {
        make: made,
        cancel_earlier: rules.overlap == OverlapRule::Replace && made.is_some() && earlier == EarlierTask::Unfinished,
        skipped,
        look_when_ended: !waiting.is_empty(),
        progress: ScheduleProgress { handled, waiting },
        look_at: recurrence.next_tick(handled),
    }
}

/// The due ticks that count, in order of time.
struct Due {
    made_up: Vec<Timestamp>,
    on_time: Vec<Timestamp>,
    /// The newest of all that are due, whether it counts or not.
    newest: Option<Timestamp>,
}

type Skips = Vec<(TickSkip, Timestamp)>;

impl Due {
    fn find(
        recurrence: &Recurrence,
        rules: &ScheduleRules,
        handled: Timestamp,
        now: Timestamp,
        skipped: &mut Skips,
    ) -> Self {
        let grace = i64::try_from(rules.grace.as_millis()).unwrap_or(i64::MAX);
        let late = Timestamp::from_millis(now.as_millis().saturating_sub(grace).saturating_sub(1)).max(handled);
        let mut missed = recurrence.newest_ticks_between(handled, late, MAX_MADE_UP);
        let mut on_time = recurrence.newest_ticks_between(late, now, MAX_MADE_UP);
        let newest = on_time.last().or(missed.last()).copied();
        let passed_over = match rules.missed {
            MissedRule::Skip => std::mem::take(&mut missed).pop(),
            // The newest that is due makes up for all, so what is on time counts as missed, too.
            MissedRule::One if !missed.is_empty() => {
                missed.append(&mut on_time);
                let one = missed.pop();
                std::mem::replace(&mut missed, one.into_iter().collect()).pop()
            }
            MissedRule::One => None,
            MissedRule::All => missed.first().and_then(|oldest| {
                recurrence.last_tick_between(handled, Timestamp::from_millis(oldest.as_millis() - 1))
            }),
        };
        skipped.extend(passed_over.map(|tick| (TickSkip::Missed, tick)));
        Self { made_up: missed, on_time, newest }
    }

    fn counted(self) -> Vec<Timestamp> {
        [self.made_up, self.on_time].concat()
    }

    /// What makes up for missed ticks stands in line; a tick on time finds nobody before it, or is passed over.
    fn skip_if_busy(
        self,
        waiting: &[Timestamp],
        earlier: EarlierTask,
        skipped: &mut Skips,
    ) -> (Option<Timestamp>, Vec<Timestamp>) {
        let idle = earlier == EarlierTask::Ended && waiting.is_empty() && self.made_up.is_empty();
        let places = usize::from(idle).min(self.on_time.len());
        let (first, rest) = self.on_time.split_at(places);
        skipped.extend(rest.last().map(|tick| (TickSkip::StillRunning, *tick)));
        in_line(waiting, [&self.made_up, first].concat(), earlier, skipped)
    }
}

/// Takes the oldest of the line if nothing runs; of those that come, the newest find room.
fn in_line(
    waiting: &[Timestamp],
    coming: Vec<Timestamp>,
    earlier: EarlierTask,
    skipped: &mut Skips,
) -> (Option<Timestamp>, Vec<Timestamp>) {
    let mut line = [waiting, &coming].concat();
    let made = (earlier == EarlierTask::Ended && !line.is_empty()).then(|| line.remove(0));
    let excess = line.len().saturating_sub(MAX_WAITING);
    let stay = line.len().saturating_sub(coming.len()).min(MAX_WAITING);
    skipped.extend(line.drain(stay..stay + excess).next_back().map(|tick| (TickSkip::LineFull, tick)));
    (made, line)
}

/// Takes the newest; whatever waits, because the rule was another before, is replaced with the rest.
fn newest_of(
    waiting: &[Timestamp],
    coming: Vec<Timestamp>,
    skipped: &mut Skips,
) -> (Option<Timestamp>, Vec<Timestamp>) {
    let mut all = [waiting, &coming].concat();
    let made = all.pop();
    skipped.extend(all.pop().map(|tick| (TickSkip::Replaced, tick)));
    (made, Vec::new())
}
