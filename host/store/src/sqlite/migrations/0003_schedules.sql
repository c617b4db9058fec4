-- Schedules. `submission` is as it was written, as JSON; `made_at` is when, and from where its interval is counted.
-- `progress` is JSON: up to when ticks have been decided upon, and which of them wait. `look_at` is the next tick, null
-- while there is none to come. `running` is the id of the newest tick's task, until it is seen to have ended. `last` is
-- JSON: the last tick that was handled, and what became of it.
CREATE TABLE schedules (
    name TEXT PRIMARY KEY,
    submission TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    paused INTEGER NOT NULL,
    progress TEXT NOT NULL,
    look_at INTEGER,
    running TEXT,
    last TEXT
) WITHOUT ROWID;
