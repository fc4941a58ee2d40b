-- +goose Up
-- By what an upstream names the session there with which a journey came back, in
-- the words of its own sign-outs: the issuer, the subject, and the session (sid);
-- '' for what it does not name.
ALTER TABLE identity_upstream_transactions ADD COLUMN issuer TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE identity_upstream_transactions ADD COLUMN subject TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE identity_upstream_transactions ADD COLUMN session_there TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX identity_upstream_transactions_by_subject ON identity_upstream_transactions (upstream, subject) WHERE subject <> '';
CREATE INDEX identity_upstream_transactions_by_session ON identity_upstream_transactions (upstream, session_there) WHERE session_there <> '';

-- Messages of upstreams that count once.
CREATE TABLE identity_upstream_seen (
    id       TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- hash
    until_at BIGINT NOT NULL
);
CREATE INDEX identity_upstream_seen_until ON identity_upstream_seen (until_at);

-- +goose Down
DROP TABLE identity_upstream_seen;
DROP INDEX identity_upstream_transactions_by_session;
DROP INDEX identity_upstream_transactions_by_subject;
ALTER TABLE identity_upstream_transactions DROP COLUMN session_there;
ALTER TABLE identity_upstream_transactions DROP COLUMN subject;
ALTER TABLE identity_upstream_transactions DROP COLUMN issuer;
