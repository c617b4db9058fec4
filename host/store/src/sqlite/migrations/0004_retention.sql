-- Names outlive the tasks that they were given to: where the task was removed, `state` says how it had ended.

ALTER TABLE keys ADD COLUMN id BLOB;
ALTER TABLE keys ADD COLUMN state INTEGER;

-- `expires_at` is null while the task is there.
ALTER TABLE own_ids ADD COLUMN state INTEGER;
ALTER TABLE own_ids ADD COLUMN expires_at INTEGER;
CREATE INDEX own_ids_by_expiry ON own_ids (expires_at) WHERE expires_at IS NOT NULL;
