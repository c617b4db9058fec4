-- What tasks told that are gone: it is kept for a time of its own, found by the task's name. Hosts of the schema before this one
-- remove it with the task.
CREATE TABLE kept_logs (
    id BYTEA NOT NULL,
    ended_at BIGINT NOT NULL,
    number BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    stage BIGINT NOT NULL,
    lines TEXT NOT NULL,
    PRIMARY KEY (id, number)
);
CREATE INDEX kept_logs_by_age ON kept_logs (ended_at);

CREATE TABLE kept_audits (
    id BYTEA NOT NULL,
    ended_at BIGINT NOT NULL,
    number BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    stage BIGINT NOT NULL,
    at BIGINT NOT NULL,
    code TEXT NOT NULL,
    details TEXT NOT NULL,
    PRIMARY KEY (id, number)
);
CREATE INDEX kept_audits_by_age ON kept_audits (ended_at);
