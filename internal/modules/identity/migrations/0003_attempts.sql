-- +goose Up
-- One record for each visit of a browser to the front door: what was tried, how
-- far it went, and the incident code under which people and agents speak of it.
CREATE TABLE identity_attempts (
    id            TEXT    NOT NULL PRIMARY KEY,
    code          TEXT COLLATE "C" NOT NULL UNIQUE,
    browser_hash  TEXT COLLATE "C" NOT NULL,
    person_id     TEXT    NOT NULL,
    typed         TEXT    NOT NULL,
    started_at    BIGINT  NOT NULL,
    changed_at    BIGINT  NOT NULL,
    outcome       TEXT    NOT NULL CHECK (outcome IN ('open', 'in', 'stopped')),
    stage         TEXT    NOT NULL,
    reason        TEXT    NOT NULL,
    address       TEXT    NOT NULL,
    user_agent    TEXT    NOT NULL,
    next          TEXT    NOT NULL,
    service       TEXT    NOT NULL,
    shared        BOOLEAN NOT NULL,
    method        TEXT    NOT NULL,
    proved_at     BIGINT  NOT NULL,
    factor_method TEXT    NOT NULL,
    factor_at     BIGINT  NOT NULL,
    put_off       BOOLEAN NOT NULL,
    trust         BOOLEAN NOT NULL,
    suspicion     TEXT    NOT NULL,
    flag          TEXT    NOT NULL,
    flagged_at    BIGINT  NOT NULL,
    diagnostic    TEXT    NOT NULL
);
CREATE INDEX identity_attempts_by_person ON identity_attempts (person_id, started_at);
CREATE INDEX identity_attempts_by_browser ON identity_attempts (browser_hash, started_at);
CREATE INDEX identity_attempts_by_flag ON identity_attempts (flagged_at);
CREATE INDEX identity_attempts_by_start ON identity_attempts (started_at);

CREATE TABLE identity_attempt_steps (
    id         TEXT   NOT NULL PRIMARY KEY,
    attempt_id TEXT   NOT NULL REFERENCES identity_attempts (id) ON DELETE CASCADE,
    stage      TEXT   NOT NULL,
    outcome    TEXT   NOT NULL CHECK (outcome IN ('passed', 'failed', 'asked')),
    method     TEXT   NOT NULL,
    reason     TEXT   NOT NULL,
    facts      TEXT   NOT NULL,
    at         BIGINT NOT NULL
);
CREATE INDEX identity_attempt_steps_by_attempt ON identity_attempt_steps (attempt_id, id);

ALTER TABLE identity_sessions ADD COLUMN attempt_id TEXT NOT NULL DEFAULT '';
ALTER TABLE identity_sessions ADD COLUMN method TEXT NOT NULL DEFAULT '';
ALTER TABLE identity_sessions ADD COLUMN factor_method TEXT NOT NULL DEFAULT '';
ALTER TABLE identity_sessions ADD COLUMN factor_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE identity_sessions DROP COLUMN factor_at;
ALTER TABLE identity_sessions DROP COLUMN factor_method;
ALTER TABLE identity_sessions DROP COLUMN method;
ALTER TABLE identity_sessions DROP COLUMN attempt_id;
DROP TABLE identity_attempt_steps;
DROP TABLE identity_attempts;
