-- Workflows: tasks tied by dependencies.

-- What workflows do, each kept once, by the digest of its text.
CREATE TABLE plans (
    digest BLOB PRIMARY KEY,
    plan TEXT NOT NULL
) WITHOUT ROWID;

-- A workflow is numbered as its first step. `settled` is the place of its state in the list of states, and null while
-- something goes on; `settled_at` since when it is so. The counts are of its steps. `input` may be long, so it stands last.
CREATE TABLE workflows (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    plan BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    due_by INTEGER,
    settled INTEGER,
    settled_at INTEGER,
    steps INTEGER NOT NULL,
    unfinished INTEGER NOT NULL,
    blocked INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0,
    cancelled INTEGER NOT NULL DEFAULT 0,
    terminated INTEGER NOT NULL DEFAULT FALSE,
    overdue INTEGER NOT NULL DEFAULT FALSE,
    tenant TEXT,
    extras TEXT,
    input TEXT NOT NULL
);
CREATE INDEX workflows_by_due ON workflows (due_by) WHERE due_by IS NOT NULL;
CREATE INDEX workflows_settled ON workflows (settled_at) WHERE settled_at IS NOT NULL;

-- Callers' own ids of workflows (`id:` before them) and idempotency keys (`key:`), with the hash of what was submitted.
CREATE TABLE workflow_names (
    name TEXT PRIMARY KEY,
    workflow INTEGER NOT NULL,
    body BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX workflow_names_by_workflow ON workflow_names (workflow);

-- The task that stands for a step, with how far it has come (`standing`) and how its dependencies have ended. `role` and
-- `standing` are places in the lists of roles and standings, `publishes` the events of the template's own, as JSON.
CREATE TABLE steps (
    seq INTEGER PRIMARY KEY,
    workflow INTEGER NOT NULL,
    place INTEGER NOT NULL,
    role INTEGER NOT NULL,
    fans_out INTEGER NOT NULL,
    standing INTEGER NOT NULL DEFAULT 0,
    total INTEGER NOT NULL,
    well INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0,
    bad INTEGER NOT NULL DEFAULT 0,
    cancelled INTEGER NOT NULL DEFAULT 0,
    name TEXT NOT NULL,
    publishes TEXT
);
CREATE UNIQUE INDEX steps_by_workflow ON steps (workflow, place);

-- Which step waits for which.
CREATE TABLE edges (
    dependency INTEGER NOT NULL,
    dependent INTEGER NOT NULL,
    PRIMARY KEY (dependency, dependent)
) WITHOUT ROWID;
CREATE INDEX edges_by_dependent ON edges (dependent, dependency);
