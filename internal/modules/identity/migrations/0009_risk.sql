-- +goose Up
-- A browser that somebody was signed in with, by the cookie it keeps. Several
-- people may share a browser; each has a row, and their trust is their own.
CREATE TABLE identity_devices (
    id            TEXT   NOT NULL PRIMARY KEY,
    token_hash    TEXT COLLATE "C" NOT NULL,
    person_id     TEXT   NOT NULL REFERENCES identity_people (id) ON DELETE CASCADE,
    user_agent    TEXT   NOT NULL,
    network       TEXT   NOT NULL,
    place         TEXT   NOT NULL,
    first_seen_at BIGINT NOT NULL,
    last_seen_at  BIGINT NOT NULL,
    trusted_at    BIGINT NOT NULL,
    trust_ends_at BIGINT NOT NULL,
    UNIQUE (token_hash, person_id)
);
CREATE INDEX identity_devices_by_person ON identity_devices (person_id, last_seen_at);
CREATE INDEX identity_devices_by_sight ON identity_devices (last_seen_at);

-- What the rules know of each finished try. Identifiers are keyed hashes; person_id
-- is empty for an identifier that nobody has. fired are the rules that noticed
-- something, also those whose points are nil, so that other points can be tried on
-- what has happened.
CREATE TABLE identity_signals (
    id         TEXT    NOT NULL PRIMARY KEY,
    person_id  TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    identifier TEXT COLLATE "C" NOT NULL,
    network    TEXT COLLATE "C" NOT NULL,
    place      TEXT    NOT NULL,
    country    TEXT    NOT NULL,
    device_id  TEXT    NOT NULL,
    outcome    TEXT    NOT NULL CHECK (outcome IN ('in', 'stopped', 'refused')),
    reason     TEXT    NOT NULL,
    proved     TEXT    NOT NULL,
    fired      TEXT COLLATE "C" NOT NULL,
    judged     BOOLEAN NOT NULL,
    score      BIGINT  NOT NULL,
    incident   TEXT    NOT NULL,
    noted_at   BIGINT  NOT NULL
);
CREATE INDEX identity_signals_by_person ON identity_signals (person_id, noted_at);
CREATE INDEX identity_signals_by_time ON identity_signals (noted_at);

-- Failures in a row, for one account from one known browser or from everywhere
-- else (browser is then empty), and how far the growing locks have come. subject
-- is a person, or one of the drawers that unknown identifiers share, so that both
-- cost the same.
CREATE TABLE identity_strikes (
    subject    TEXT   NOT NULL,
    browser    TEXT   NOT NULL,
    failures   BIGINT NOT NULL,
    step       BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (subject, browser)
);
CREATE INDEX identity_strikes_by_change ON identity_strikes (changed_at);

-- A temporary lock of one account: for every browser that its owner never used, or
-- for one that they did. It ends at until_at by itself.
CREATE TABLE identity_locks (
    id           TEXT   NOT NULL PRIMARY KEY,
    subject      TEXT   NOT NULL,
    browser      TEXT   NOT NULL,
    cause        TEXT   NOT NULL,
    findings     TEXT   NOT NULL,
    since_at     BIGINT NOT NULL,
    until_at     BIGINT NOT NULL,
    lifted_at    BIGINT NOT NULL,
    lifted_by    TEXT   NOT NULL,
    how          TEXT   NOT NULL,
    told_at      BIGINT NOT NULL,
    key_hash     TEXT COLLATE "C" NOT NULL,
    key_until_at BIGINT NOT NULL
);
CREATE INDEX identity_locks_by_subject ON identity_locks (subject, until_at);
CREATE INDEX identity_locks_by_key ON identity_locks (key_hash);
CREATE INDEX identity_locks_by_end ON identity_locks (until_at);

-- One password tried on many accounts, while it goes on and for a year after.
CREATE TABLE identity_alarms (
    id         TEXT   NOT NULL PRIMARY KEY,
    kind       TEXT   NOT NULL CHECK (kind IN ('network', 'everywhere')),
    network    TEXT COLLATE "C" NOT NULL,
    place      TEXT   NOT NULL,
    accounts   BIGINT NOT NULL,
    networks   BIGINT NOT NULL,
    opened_at  BIGINT NOT NULL,
    last_at    BIGINT NOT NULL,
    closed_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX identity_alarms_open ON identity_alarms (kind, network) WHERE closed_at = 0;
CREATE INDEX identity_alarms_by_end ON identity_alarms (closed_at);

-- +goose Down
DROP TABLE identity_alarms;
DROP TABLE identity_locks;
DROP TABLE identity_strikes;
DROP TABLE identity_signals;
DROP TABLE identity_devices;
