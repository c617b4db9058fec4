//! How long what has ended is kept.

use crate::{Span, State, Timestamp};

/// How long ended tasks are kept, by how they ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Succeeded, skipped, cancelled and resolved ones.
    pub succeeded: Span,
    /// Dead letters.
    pub dead: Span,
}

impl Default for Retention {
    fn default() -> Self {
        Self { succeeded: Span::from_secs(24 * 3600), dead: Span::from_secs(30 * 24 * 3600) }
    }
}

impl Retention {
    /// How long a task that ended so is kept; none where a task in that state has not ended.
    pub fn kept(&self, state: State) -> Option<Span> {
        match state {
            State::Succeeded | State::Skipped | State::Cancelled | State::Resolved => Some(self.succeeded),
            State::Dead => Some(self.dead),
            State::Waiting | State::Ready | State::Running | State::Suspended | State::Paused | State::Blocked => None,
        }
    }

    /// Whether a task that ended so at that moment is removed by now.
    pub fn is_over(&self, state: State, ended_at: Timestamp, now: Timestamp) -> bool {
        self.kept(state).is_some_and(|kept| ended_at.after(kept.duration()) <= now)
    }

    /// How long between two looks at everything that has ended: a small part of the shortest time, a minute at least.
    pub fn look_every(&self) -> std::time::Duration {
        let shortest = self.succeeded.min(self.dead).duration();
        (shortest / 24).clamp(std::time::Duration::from_secs(60), std::time::Duration::from_secs(3600))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_badly_is_kept_for_longer() {
        let (retention, ended_at) = (Retention::default(), Timestamp::from_millis(0));
        let over = |state, hours: u64| {
            retention.is_over(state, ended_at, ended_at.after(std::time::Duration::from_secs(hours * 3600)))
        };
        assert!(!over(State::Succeeded, 23) && over(State::Succeeded, 24) && over(State::Cancelled, 24));
        assert!(!over(State::Dead, 719) && over(State::Dead, 720));
        assert!(!over(State::Suspended, 1_000_000));
        assert_eq!(retention.look_every().as_secs(), 3600);
    }
}
