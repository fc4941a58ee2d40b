-- +goose Up
-- How many days before its end somebody was last told that a token ends; 0 for not yet.
ALTER TABLE helpdesk_tokens ADD COLUMN warned BIGINT NOT NULL DEFAULT 0;
CREATE INDEX helpdesk_tokens_by_end ON helpdesk_tokens (ends_at) WHERE revoked_at = 0;

-- +goose Down
DROP INDEX helpdesk_tokens_by_end;
ALTER TABLE helpdesk_tokens DROP COLUMN warned;
