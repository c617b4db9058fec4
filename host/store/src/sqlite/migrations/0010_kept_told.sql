-- What tasks told that are gone: it is kept for a time of its own, found by the task's name.
CREATE TABLE kept_logs (
    id BLOB NOT NULL,
    ended_at INTEGER NOT NULL,
    number INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    stage INTEGER NOT NULL,
    lines TEXT NOT NULL
);
CREATE INDEX kept_logs_by_task ON kept_logs (id, number);
CREATE INDEX kept_logs_by_age ON kept_logs (ended_at);

CREATE TABLE kept_audits (
    id BLOB NOT NULL,
    ended_at INTEGER NOT NULL,
    number INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    stage INTEGER NOT NULL,
    at INTEGER NOT NULL,
    code TEXT NOT NULL,
    details TEXT NOT NULL
);
CREATE INDEX kept_audits_by_task ON kept_audits (id, number);
CREATE INDEX kept_audits_by_age ON kept_audits (ended_at);
