-- +goose Up
-- The account without our key that stands where somebody's would, and the one that
-- an administrator said is theirs.
ALTER TABLE provisioning_accounts ADD COLUMN found_id TEXT NOT NULL DEFAULT '';
ALTER TABLE provisioning_accounts ADD COLUMN adopt_id TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE provisioning_accounts DROP COLUMN adopt_id;
ALTER TABLE provisioning_accounts DROP COLUMN found_id;
