-- +goose Up
-- Tokens end by themselves: those that were made before, a year after that.
ALTER TABLE directory_tokens ADD COLUMN ends_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE directory_tokens ADD COLUMN warned_at BIGINT NOT NULL DEFAULT 0; -- 0 until somebody was told that it ends soon
ALTER TABLE directory_tokens ADD COLUMN told_at BIGINT NOT NULL DEFAULT 0;   -- 0 until its end stands in the journal
ALTER TABLE directory_tokens ADD COLUMN used_from TEXT NOT NULL DEFAULT '';  -- network address of the last use
UPDATE directory_tokens SET ends_at = made_at + 31536000000000;
CREATE INDEX directory_tokens_by_end ON directory_tokens (ends_at);

-- +goose Down
DROP INDEX directory_tokens_by_end;
ALTER TABLE directory_tokens DROP COLUMN used_from;
ALTER TABLE directory_tokens DROP COLUMN told_at;
ALTER TABLE directory_tokens DROP COLUMN warned_at;
ALTER TABLE directory_tokens DROP COLUMN ends_at;
