-- Tokens of language models that a task has used over all its runs.
ALTER TABLE history ADD COLUMN tokens INTEGER NOT NULL DEFAULT 0;
