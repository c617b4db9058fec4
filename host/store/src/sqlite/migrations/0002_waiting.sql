-- Tasks that wait for their children or for an answer, and paused ones.

-- The answer to the task's last suspension (`answered`: 0 none, 1 given, 2 nobody answered in time), and whose children
-- the present stage may ask for.
ALTER TABLE history ADD COLUMN answered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE history ADD COLUMN answer TEXT;
ALTER TABLE history ADD COLUMN upstream_epoch INTEGER;
ALTER TABLE history ADD COLUMN upstream_stage INTEGER;
ALTER TABLE history ADD COLUMN upstream_count INTEGER;

-- A task that waits has a row here and in none of ready, delayed, parked, alone, paused and ended. `state` counts through
-- the contract's states. `join_policy` is JSON, and null where the task waits for an answer. `wakes_at` is the earliest of
-- the three moments before it that lie ahead. `worker` and `started_at` are of the run that began the waiting.
CREATE TABLE waits (
    seq INTEGER PRIMARY KEY,
    state INTEGER NOT NULL,
    since INTEGER NOT NULL,
    timeout_at INTEGER,
    flag_at INTEGER,
    stale_at INTEGER,
    wakes_at INTEGER,
    epoch INTEGER NOT NULL,
    stage INTEGER NOT NULL,
    worker INTEGER,
    started_at INTEGER NOT NULL,
    join_policy TEXT,
    total INTEGER NOT NULL DEFAULT 0,
    ended INTEGER NOT NULL DEFAULT 0,
    well INTEGER NOT NULL DEFAULT 0,
    critical INTEGER NOT NULL DEFAULT 0,
    critical_well INTEGER NOT NULL DEFAULT 0,
    critical_badly INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    metadata TEXT
);
CREATE INDEX waits_by_wake ON waits (wakes_at) WHERE wakes_at IS NOT NULL;

-- Whose child a task is. `own` is 0 where the task was there before the parent asked for it by its key. `depth` counts
-- the generations above the child, the first of which is `root`.
CREATE TABLE kin (
    parent INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    stage INTEGER NOT NULL,
    position INTEGER NOT NULL,
    child INTEGER NOT NULL,
    own INTEGER NOT NULL,
    critical INTEGER NOT NULL,
    depth INTEGER NOT NULL,
    root INTEGER NOT NULL,
    name TEXT,
    PRIMARY KEY (parent, epoch, stage, position)
) WITHOUT ROWID;
CREATE INDEX kin_by_child ON kin (child);

-- How many descendants a task has that has no parent itself.
CREATE TABLE trees (
    root INTEGER PRIMARY KEY,
    descendants INTEGER NOT NULL
);

-- Ready tasks that an operator holds back. `parked`: it was declined by every live handler.
CREATE TABLE paused (
    seq INTEGER PRIMARY KEY,
    parked INTEGER NOT NULL
);

-- Tasks that are paused as soon as they are ready again.
CREATE TABLE pausing (
    seq INTEGER PRIMARY KEY
);

-- Kinds that an operator holds back.
CREATE TABLE paused_kinds (
    kind TEXT PRIMARY KEY
) WITHOUT ROWID;
