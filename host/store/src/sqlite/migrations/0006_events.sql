-- Events that are kept for those who subscribed to them, and their way to receivers.

-- `number` is the event's place in the stream: given once it is durable, without gaps, never twice. `type` is its place
-- in the list of types, `data` what is known of it beside its task.
CREATE TABLE events (
    key INTEGER PRIMARY KEY,
    number INTEGER UNIQUE,
    at INTEGER NOT NULL,
    type INTEGER NOT NULL,
    task BLOB NOT NULL,
    kind TEXT NOT NULL,
    tenant TEXT,
    data TEXT NOT NULL
);

-- What holds of the stream as a whole. `next`: the number of the next event. `unbroken`: from this number on, nothing is
-- missing. `stream_until`: until when events are kept for readers. `version`: grows with each change of webhooks.
CREATE TABLE event_facts (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO event_facts (name, value) VALUES ('next', 1), ('unbroken', 1), ('stream_until', 0), ('version', 0);

-- The host that sends events to receivers, and until when no other may.
CREATE TABLE event_sender (
    id INTEGER PRIMARY KEY,
    host INTEGER NOT NULL,
    until INTEGER NOT NULL
);
INSERT INTO event_sender (id, host, until) VALUES (1, 0, 0);

-- Receivers. `dealt`: up to this number, events have become deliveries.
CREATE TABLE webhooks (
    name TEXT PRIMARY KEY,
    made_at INTEGER NOT NULL,
    url TEXT NOT NULL,
    types INTEGER NOT NULL,
    kinds TEXT NOT NULL,
    tenant TEXT,
    secret TEXT NOT NULL,
    dealt INTEGER NOT NULL
);

-- Events on their way to a receiver; gone once it has them. `since`: when this began.
CREATE TABLE deliveries (
    webhook TEXT NOT NULL,
    number INTEGER NOT NULL,
    task BLOB NOT NULL,
    since INTEGER NOT NULL,
    due INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    error TEXT,
    parked_at INTEGER,
    PRIMARY KEY (webhook, number)
) WITHOUT ROWID;
CREATE INDEX deliveries_by_due ON deliveries (webhook, due, number) WHERE parked_at IS NULL;
CREATE INDEX deliveries_by_task ON deliveries (webhook, task, number) WHERE parked_at IS NULL;
CREATE INDEX deliveries_by_number ON deliveries (number);
CREATE INDEX deliveries_parked ON deliveries (parked_at) WHERE parked_at IS NOT NULL;
