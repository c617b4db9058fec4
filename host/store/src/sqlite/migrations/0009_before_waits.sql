-- What a task that waits, and whose stage is not its first, had as state and answer in that stage; its next stage's stand in
-- `history` already. Where it ends while it waits, it has these again, since a requeue repeats the stage.
CREATE TABLE before_waits (
    seq INTEGER PRIMARY KEY,
    state TEXT,
    answered INTEGER NOT NULL,
    answer TEXT
);
