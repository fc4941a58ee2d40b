-- +goose Up
-- By which journey to an upstream a sign-in came, so that what happens to the
-- session there is known to belong to the session here; '' for a proof of our own.
ALTER TABLE identity_attempts ADD COLUMN journey TEXT NOT NULL DEFAULT '';
CREATE INDEX identity_attempts_by_journey ON identity_attempts (journey) WHERE journey <> '';
CREATE INDEX identity_sessions_by_attempt ON identity_sessions (attempt_id);
-- When the session that began with a journey was signed out by its own browser. For
-- some minutes that browser may end the session at the upstream as well, once; 1
-- when it has, or when there is nothing to end there.
ALTER TABLE identity_upstream_transactions ADD COLUMN left_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE identity_upstream_transactions DROP COLUMN left_at;
DROP INDEX identity_sessions_by_attempt;
DROP INDEX identity_attempts_by_journey;
ALTER TABLE identity_attempts DROP COLUMN journey;
