-- Facts of the store itself: schema_version, min_compatible, secret.
-- (Table `meta` is made before any migration.)

-- (kind, tags sorted and joined by spaces), interned.
CREATE TABLE routes (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    requires TEXT NOT NULL,
    UNIQUE (kind, requires)
);

-- A handler and the digest of one version of it, interned.
CREATE TABLE versions (
    id INTEGER PRIMARY KEY,
    handler TEXT NOT NULL,
    digest BLOB NOT NULL,
    UNIQUE (handler, digest)
);

-- Names of workers, interned.
CREATE TABLE workers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- What was submitted; never changed. `id` is 16 bytes where the store made it (they carry `seq`, so no index is needed),
-- and text where it is the caller's own (then `own_ids` has it). `rank` is the negated priority. Times are milliseconds.
CREATE TABLE tasks (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    route INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    due INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    max_attempts INTEGER,
    tenant TEXT,
    extras TEXT,
    payload TEXT NOT NULL
);

-- A task is in at most one of ready, delayed, parked, alone and ended; in none of them, it runs.

-- Due, and free for any worker that serves the route. Bit 0 of `flags`: it has a history.
CREATE TABLE ready (
    route INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    due INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    PRIMARY KEY (route, rank, due, seq)
) WITHOUT ROWID;

-- Not due yet. Bit 1 of `flags`: it will run alone.
CREATE TABLE delayed (
    due INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    route INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    PRIMARY KEY (due, seq)
) WITHOUT ROWID;

-- Declined by every live handler; due again when the catalogue changes.
CREATE TABLE parked (
    route INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    PRIMARY KEY (route, seq)
) WITHOUT ROWID;

-- Due, but so many workers were lost over it that it runs with nothing beside it.
CREATE TABLE alone (
    seq INTEGER PRIMARY KEY,
    route INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    due INTEGER NOT NULL
);

-- What earlier runs left; a task that has not run yet has no row. `due` is the task's present due time, `reason` why it
-- is ready and does not run. The `attempt_…` columns, `elapsed` (µs) and `digests` (32 bytes each) are of earlier runs
-- of the present attempt; `fuel` is of the whole epoch.
CREATE TABLE history (
    seq INTEGER PRIMARY KEY,
    due INTEGER NOT NULL,
    reason TEXT,
    epoch INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    stage INTEGER NOT NULL,
    deferrals INTEGER NOT NULL,
    losses INTEGER NOT NULL,
    max_attempts INTEGER,
    elapsed INTEGER NOT NULL,
    fuel INTEGER NOT NULL,
    attempt_fuel INTEGER NOT NULL,
    attempt_peak INTEGER NOT NULL,
    declined BLOB,
    digests BLOB,
    error TEXT,
    state TEXT
);

-- How a task ended, with the facts of its last attempt. `state` counts through the contract's states; `digests` has the
-- versions of earlier runs of the attempt; `worker` is null where no attempt was cut short or charged by the end.
CREATE TABLE ended (
    seq INTEGER PRIMARY KEY,
    state INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    stage INTEGER NOT NULL,
    max_attempts INTEGER,
    worker INTEGER,
    version INTEGER,
    started_at INTEGER,
    elapsed INTEGER,
    fuel INTEGER,
    peak INTEGER,
    result TEXT,
    metadata TEXT,
    end TEXT,
    reason TEXT,
    error TEXT,
    digests BLOB
);

-- Few end otherwise than well (6), and those are listed often.
CREATE INDEX ended_otherwise ON ended (seq, state) WHERE state <> 6;

-- Charged attempts before the last, and those whose worker was lost.
CREATE TABLE attempts (
    number INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    worker INTEGER,
    version INTEGER,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    elapsed INTEGER NOT NULL,
    fuel INTEGER NOT NULL,
    peak INTEGER NOT NULL,
    end TEXT NOT NULL,
    error TEXT,
    digests BLOB
);
CREATE INDEX attempts_by_task ON attempts (seq);

-- One row for each batch that is claimed; `tasks` holds its seqs, eight bytes each, little-endian.
CREATE TABLE leases (
    id INTEGER PRIMARY KEY,
    worker INTEGER NOT NULL,
    claimed_at INTEGER NOT NULL,
    tasks BLOB NOT NULL
);

-- Running tasks that somebody cancelled.
CREATE TABLE cancels (
    seq INTEGER PRIMARY KEY,
    cancelled_at INTEGER NOT NULL
);

-- Callers' own ids, with the hash of what was submitted under them.
CREATE TABLE own_ids (
    id TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    body BLOB NOT NULL
) WITHOUT ROWID;

-- Idempotency keys, likewise.
CREATE TABLE keys (
    key TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    body BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX keys_by_expiry ON keys (expires_at);

-- Tasks that must start by a moment.
CREATE TABLE expiring (
    expires_at INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (expires_at, seq)
) WITHOUT ROWID;
