-- Whether a task that is to be paused was so with all of its workflow: then what it spawns meanwhile is paused, too.
ALTER TABLE pausing ADD COLUMN with_all BOOLEAN NOT NULL DEFAULT FALSE;
