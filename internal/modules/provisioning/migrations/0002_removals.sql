-- +goose Up
-- Accounts in services of people who are erased: each is removed there, and its line
-- then forgets whose it was.
CREATE TABLE provisioning_removals (
	id            TEXT COLLATE "C" PRIMARY KEY,
	erasure       TEXT COLLATE "C" NOT NULL,
	target_id     TEXT COLLATE "C" NOT NULL,
	person        TEXT COLLATE "C" NOT NULL,  -- empty once it is over, as are the next two
	login         TEXT NOT NULL,
	remote_id     TEXT NOT NULL,  -- empty when it was never learnt
	state         TEXT NOT NULL,  -- asked, removed, absent, by_hand
	reason        TEXT NOT NULL DEFAULT '',  -- what stands in the way
	detail        TEXT NOT NULL DEFAULT '',  -- what the service said
	attempts      BIGINT NOT NULL DEFAULT 0,
	due_at        BIGINT NOT NULL,
	asked_at      BIGINT NOT NULL,
	ended_at      BIGINT NOT NULL DEFAULT 0,
	ended_by      TEXT NOT NULL DEFAULT '',  -- who says that it was done by hand
	UNIQUE (erasure, target_id)
);
CREATE INDEX provisioning_removals_due ON provisioning_removals (target_id, due_at) WHERE state = 'asked';
CREATE INDEX provisioning_removals_person ON provisioning_removals (person) WHERE person <> '';
CREATE INDEX provisioning_accounts_remote ON provisioning_accounts (target_id, remote_id);

-- +goose Down
DROP INDEX provisioning_accounts_remote;
DROP TABLE provisioning_removals;
