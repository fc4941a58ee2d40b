-- +goose Up
-- What only a person can decide.
CREATE TABLE directory_conflicts (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    source     TEXT COLLATE "C" NOT NULL,
    source_key TEXT COLLATE "C" NOT NULL,
    kind       TEXT   NOT NULL, -- a reason code
    args       TEXT   NOT NULL,
    people     TEXT   NOT NULL, -- identifiers of the people concerned, in JSON
    name       TEXT   NOT NULL,
    folded     TEXT COLLATE "C" NOT NULL,
    place      TEXT   NOT NULL,
    said       TEXT   NOT NULL,
    opened_at  BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    closed_at  BIGINT NOT NULL, -- 0 while it waits
    decision   TEXT   NOT NULL, -- '' when it went away by itself
    decided_by TEXT   NOT NULL
);
CREATE UNIQUE INDEX directory_conflicts_open ON directory_conflicts (source, source_key) WHERE closed_at = 0;
CREATE INDEX directory_conflicts_by_time ON directory_conflicts (closed_at, opened_at);

-- Decisions that hold for every later run.
CREATE TABLE directory_verdicts (
    source     TEXT COLLATE "C" NOT NULL,
    source_key TEXT COLLATE "C" NOT NULL,
    verdict    TEXT   NOT NULL CHECK (verdict IN ('same', 'apart', 'ignore')),
    person_id  TEXT COLLATE "C" NOT NULL, -- who it is, for same
    decided_by TEXT   NOT NULL,
    decided_at BIGINT NOT NULL,
    PRIMARY KEY (source, source_key)
);

-- For one person, which source has the last word on one field.
CREATE TABLE directory_pins (
    person_id TEXT COLLATE "C" NOT NULL,
    field     TEXT COLLATE "C" NOT NULL,
    source    TEXT COLLATE "C" NOT NULL,
    pinned_by TEXT   NOT NULL,
    pinned_at BIGINT NOT NULL,
    PRIMARY KEY (person_id, field)
);

-- Every login and address that was ever given: none is given to somebody else.
CREATE TABLE directory_names (
    kind      TEXT COLLATE "C" NOT NULL CHECK (kind IN ('login', 'mail')),
    name      TEXT COLLATE "C" NOT NULL,
    person_id TEXT COLLATE "C" NOT NULL,
    given_at  BIGINT NOT NULL,
    PRIMARY KEY (kind, name)
);

-- +goose Down
DROP TABLE directory_names;
DROP TABLE directory_pins;
DROP TABLE directory_verdicts;
DROP TABLE directory_conflicts;
