-- Schedules. `submission` is as it was written, as JSON; it may be long, so it stands last. `made_at` is when the schedule
-- was made: from where its interval is counted. `progress` is JSON: up to when ticks have been decided upon, and which of
-- them wait. `look_at` is the next tick, null while there is none to come. `running` is the id of the newest tick's task,
-- until it is seen to have ended. `last` is JSON: the last tick that was handled, and what became of it.
CREATE TABLE schedules (
    name TEXT NOT NULL UNIQUE,
    made_at INTEGER NOT NULL,
    paused INTEGER NOT NULL,
    look_at INTEGER,
    progress TEXT NOT NULL,
    running TEXT,
    last TEXT,
    submission TEXT NOT NULL
);
