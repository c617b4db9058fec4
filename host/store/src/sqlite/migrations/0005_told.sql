-- What runs told of themselves.

-- A row for each run that wrote a log: its lines, JSON, one a line.
CREATE TABLE logs (
    number INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    stage INTEGER NOT NULL,
    lines TEXT NOT NULL
);
CREATE INDEX logs_by_task ON logs (seq);

-- Entries of tasks' audit trails.
CREATE TABLE audits (
    number INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    stage INTEGER NOT NULL,
    at INTEGER NOT NULL,
    code TEXT NOT NULL,
    details TEXT NOT NULL
);
CREATE INDEX audits_by_task ON audits (seq);

-- How far tasks say they have come; the last word of each.
CREATE TABLE progress (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    stage TEXT NOT NULL,
    text TEXT NOT NULL,
    fraction REAL,
    metadata TEXT NOT NULL
);
