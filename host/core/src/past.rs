//! Whether anything was done of a task yet.

/// What is known of the runs that a task has had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// Its life; 1 until it is first requeued.
    pub epoch: u32,
    /// Attempts that are over in this life.
    pub attempts: u32,
    /// Stages that are done.
    pub stage: u32,
    /// Workers that were lost while they ran it.
    pub losses: u32,
    /// Whether a run of this attempt has begun, and was cut short or came to a stage.
    pub has_run: bool,
}

impl Past {
    /// Whether a run has begun it, in any of its lives. One that declined it, or found no sandbox, has not.
    pub const fn was_begun(self) -> bool {
        let Self { epoch, attempts, stage, losses, has_run } = self;
        epoch > 1 || attempts > 0 || stage > 0 || losses > 0 || has_run
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_begun_by_whatever_a_run_leaves() {
        let never = Past { epoch: 1, attempts: 0, stage: 0, losses: 0, has_run: false };
        assert!(!never.was_begun());
        for past in [
            Past { epoch: 2, ..never },
            Past { attempts: 1, ..never },
            Past { stage: 1, ..never },
            Past { losses: 1, ..never },
            Past { has_run: true, ..never },
        ] {
            assert!(past.was_begun(), "{past:?}");
        }
    }
}
