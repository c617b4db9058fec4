//! What a handler is given.

/// One unit of work, with its payload as the handler's own type.
#[derive(Debug, Clone, PartialEq)]
pub struct Task<P> {
    /// Its id.
    pub id: String,
    /// Its kind: the handler's own.
    pub kind: String,
    /// The payload.
    pub payload: P,
    /// The capability tags it requires, sorted.
    pub requires: Vec<String>,
    /// 1 on the first try.
    pub attempt: u32,
    /// Attempts in all.
    pub max_attempts: u32,
    /// 0 at first; one more each time the task resumes after children, a suspension or a checkpoint.
    pub stage: u32,
}

/// A task whose payload is still JSON text; what [`crate::Handler::dispatch`] looks at.
pub type RawTask = Task<String>;

impl<P> Task<P> {
    /// Whether no other attempt follows this one.
    pub fn is_last_attempt(&self) -> bool {
        self.attempt >= self.max_attempts
    }

    pub(crate) fn with_payload<Q>(self, payload: Q) -> (Task<Q>, P) {
        let task = Task {
            id: self.id,
            kind: self.kind,
            payload,
            requires: self.requires,
            attempt: self.attempt,
            max_attempts: self.max_attempts,
            stage: self.stage,
        };
        (task, self.payload)
    }
}
