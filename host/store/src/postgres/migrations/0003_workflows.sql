-- Workflows: tasks tied by dependencies.

-- What workflows do, each kept once, by the digest of its text.
CREATE TABLE plans (
    digest BYTEA PRIMARY KEY,
    plan TEXT NOT NULL
);

-- A workflow is numbered as its first step. `settled` is the place of its state in the list of states, and null while
-- something goes on; `settled_at` since when it is so. The counts are of its steps. `input` may be long, so it stands last.
CREATE TABLE workflows (
    seq BIGINT PRIMARY KEY,
    id BYTEA NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    plan BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    due_by BIGINT,
    settled BIGINT,
    settled_at BIGINT,
    steps BIGINT NOT NULL,
    unfinished BIGINT NOT NULL,
    blocked BIGINT NOT NULL DEFAULT 0,
    dead BIGINT NOT NULL DEFAULT 0,
    cancelled BIGINT NOT NULL DEFAULT 0,
    terminated BOOLEAN NOT NULL DEFAULT FALSE,
    overdue BOOLEAN NOT NULL DEFAULT FALSE,
    tenant TEXT,
    extras TEXT,
    input TEXT NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX workflows_by_due ON workflows (due_by) WHERE due_by IS NOT NULL;
CREATE INDEX workflows_settled ON workflows (settled_at) WHERE settled_at IS NOT NULL;

-- Callers' own ids of workflows (`id:` before them) and idempotency keys (`key:`), with the hash of what was submitted.
CREATE TABLE workflow_names (
    name TEXT PRIMARY KEY,
    workflow BIGINT NOT NULL,
    body BYTEA NOT NULL
);
CREATE INDEX workflow_names_by_workflow ON workflow_names (workflow);

-- The task that stands for a step, with how far it has come (`standing`) and how its dependencies have ended. `role` and
-- `standing` are places in the lists of roles and standings, `publishes` the events of the template's own, as JSON.
CREATE TABLE steps (
    seq BIGINT PRIMARY KEY,
    workflow BIGINT NOT NULL,
    place BIGINT NOT NULL,
    role BIGINT NOT NULL,
    fans_out BOOLEAN NOT NULL,
    standing BIGINT NOT NULL DEFAULT 0,
    total BIGINT NOT NULL,
    well BIGINT NOT NULL DEFAULT 0,
    skipped BIGINT NOT NULL DEFAULT 0,
    bad BIGINT NOT NULL DEFAULT 0,
    cancelled BIGINT NOT NULL DEFAULT 0,
    name TEXT NOT NULL,
    publishes TEXT
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX steps_by_workflow ON steps (workflow, place);

-- Which step waits for which.
CREATE TABLE edges (
    dependency BIGINT NOT NULL,
    dependent BIGINT NOT NULL,
    PRIMARY KEY (dependency, dependent)
);
CREATE INDEX edges_by_dependent ON edges (dependent, dependency);
