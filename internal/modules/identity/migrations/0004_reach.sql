-- +goose Up
-- One-time codes. Only a keyed hash of a code is kept. A code that a newer one
-- replaced stays until it is pruned, so that whoever types it can be told to
-- look at the newer message. No reference to people: codes may be asked for
-- before anybody is known, and they are gone after a day.
CREATE TABLE identity_codes (
    id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    purpose       TEXT COLLATE "C" NOT NULL,
    subject       TEXT COLLATE "C" NOT NULL,
    person_id     TEXT   NOT NULL,
    mac           TEXT   NOT NULL,
    tries_left    BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    used_at       BIGINT NOT NULL,
    superseded_at BIGINT NOT NULL
);
CREATE INDEX identity_codes_by_subject ON identity_codes (purpose, subject, created_at);
CREATE INDEX identity_codes_by_age ON identity_codes (expires_at);
-- Two requests at once leave one code that works, not two.
CREATE UNIQUE INDEX identity_codes_current ON identity_codes (purpose, subject) WHERE superseded_at = 0;

-- Where people can be reached besides their institutional address. A row is
-- live until removed_at, which may lie ahead: the date on which its replacement
-- takes over.
CREATE TABLE identity_points (
    id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    person_id    TEXT   NOT NULL REFERENCES identity_people (id) ON DELETE CASCADE,
    channel      TEXT   NOT NULL CHECK (channel IN ('recovery_mail', 'mobile')),
    value        TEXT COLLATE "C" NOT NULL,
    source       TEXT   NOT NULL CHECK (source IN ('record', 'self')),
    replaces     TEXT   NOT NULL, -- the point that this one takes over from
    refusal      TEXT COLLATE "C" NOT NULL, -- hash of the token of "It was not me"
    created_at   BIGINT NOT NULL,
    verified_at  BIGINT NOT NULL,
    usable_at    BIGINT NOT NULL, -- from when it counts; 0 until verified
    confirmed_at BIGINT NOT NULL, -- when its owner last said that it is still theirs
    refused_at   BIGINT NOT NULL,
    removed_at   BIGINT NOT NULL
);
CREATE INDEX identity_points_by_person ON identity_points (person_id, created_at);
CREATE INDEX identity_points_by_refusal ON identity_points (refusal) WHERE refusal <> '';

-- +goose Down
DROP TABLE identity_points;
DROP TABLE identity_codes;
