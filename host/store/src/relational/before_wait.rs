//! What a stage had that ended in waiting: while its task waits, the history has what the next one is to find.

use crate::TaskSeq;
use crate::history::HistoryRow;

use super::cycle::Cycle;
use super::failure::Halt;

impl Cycle<'_> {
    /// Keeps the state and the answer of the stage that ends in waiting. The first stage has neither.
    pub(super) fn keep_before_wait(&self, seq: TaskSeq, history: &HistoryRow) -> Result<(), Halt> {
        const KEEP: &str = "INSERT INTO before_waits (seq, state, answered, answer) \
            SELECT seq, state, answered, answer FROM history WHERE seq = ?1 \
            ON CONFLICT (seq) DO UPDATE SET state = excluded.state, answered = excluded.answered, answer = excluded.answer";
        if history.stage > 0 {
            self.connection.put_off(KEEP, [seq.0])?;
        }
        Ok(())
    }

    /// Forgets them, since the next stage begins.
    pub(super) fn forget_before_wait(&self, seq: TaskSeq, history: &HistoryRow) -> Result<(), Halt> {
        if history.stage > 0 {
            self.connection.put_off("DELETE FROM before_waits WHERE seq = ?1", [seq.0])?;
        }
        Ok(())
    }

    /// Gives them back to a task that ends while it waits: once it is requeued, it repeats the stage.
    pub(super) fn go_back_before_wait(&self, seq: TaskSeq, history: &HistoryRow) -> Result<(), Halt> {
        const GO_BACK: &str = "UPDATE history SET \
            state = (SELECT b.state FROM before_waits b WHERE b.seq = history.seq), \
            answered = coalesce((SELECT b.answered FROM before_waits b WHERE b.seq = history.seq), 0), \
            answer = (SELECT b.answer FROM before_waits b WHERE b.seq = history.seq) WHERE seq = ?1";
        self.connection.put_off(GO_BACK, [seq.0])?;
        self.forget_before_wait(seq, history)
    }
}
