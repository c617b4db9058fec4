-- Where workspaces are (docs/adr/0015-where-workspaces-are.md). The tasks that are bound to a home have its tag, which
-- begins with `@`, in `routes.requires`.

-- Folders that hold workspaces, by the host that had each of them last. One that was released stays, so that its tag is
-- known to bind nobody.
CREATE TABLE homes (
    home TEXT PRIMARY KEY,
    host TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    released_at BIGINT
) WITH (fillfactor = 50);

-- Workspaces that hold anything, by the task that each is named after.
CREATE TABLE workspaces (
    id TEXT PRIMARY KEY,
    home TEXT NOT NULL
);
CREATE INDEX workspaces_by_home ON workspaces (home);
