-- +goose Up
-- What people prove themselves by. secret is the sealed key of an app, and
-- last_step the last time step that one of its codes was taken for (RFC 6238
-- §5.2); late_steps is by how many steps its phone's clock is behind ours. point
-- is that of a phone or address.
CREATE TABLE identity_factors (
    id           TEXT   NOT NULL PRIMARY KEY,
    person_id    TEXT   NOT NULL REFERENCES identity_people (id) ON DELETE CASCADE,
    kind         TEXT   NOT NULL CHECK (kind IN ('totp', 'sms', 'mail', 'key', 'passkey')),
    label        TEXT   NOT NULL,
    secret       TEXT   NOT NULL,
    last_step    BIGINT NOT NULL,
    late_steps   BIGINT NOT NULL,
    point        TEXT   NOT NULL,
    added_at     BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    suspended_at BIGINT NOT NULL
);
CREATE INDEX identity_factors_by_person ON identity_factors (person_id, added_at);
CREATE UNIQUE INDEX identity_factors_by_point ON identity_factors (person_id, point) WHERE point <> '';

-- The credential of a key or passkey: its record is sealed, because who could
-- alter it could put a key of their own in its place.
CREATE TABLE identity_keys (
    factor_id     TEXT    NOT NULL PRIMARY KEY REFERENCES identity_factors (id) ON DELETE CASCADE,
    credential_id TEXT COLLATE "C" NOT NULL UNIQUE,
    record        TEXT    NOT NULL,
    sign_count    BIGINT  NOT NULL,
    discoverable  BOOLEAN NOT NULL,
    backed_up     BOOLEAN NOT NULL
);

-- Challenges that were answered, until they would have expired anyway: an answer
-- is taken once.
CREATE TABLE identity_spent_challenges (
    challenge_hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    expires_at     BIGINT NOT NULL
);
CREATE INDEX identity_spent_challenges_by_end ON identity_spent_challenges (expires_at);

CREATE TABLE identity_app_enrolments (
    id         TEXT   NOT NULL PRIMARY KEY,
    person_id  TEXT   NOT NULL UNIQUE REFERENCES identity_people (id) ON DELETE CASCADE,
    secret     TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE identity_recovery_codes (
    id        TEXT   NOT NULL PRIMARY KEY,
    person_id TEXT   NOT NULL REFERENCES identity_people (id) ON DELETE CASCADE,
    mac       TEXT   NOT NULL,
    made_at   BIGINT NOT NULL,
    used_at   BIGINT NOT NULL
);
CREATE INDEX identity_recovery_codes_by_person ON identity_recovery_codes (person_id, used_at);

-- Who passed a code on to whom. The code itself is kept by package code.
CREATE TABLE identity_relays (
    id        TEXT   NOT NULL PRIMARY KEY,
    person_id TEXT   NOT NULL REFERENCES identity_people (id) ON DELETE CASCADE,
    given_by  TEXT   NOT NULL,
    given_at  BIGINT NOT NULL,
    used_at   BIGINT NOT NULL
);
CREATE INDEX identity_relays_by_person ON identity_relays (person_id, given_at);

-- Wrong codes in a row, and from when the next one is looked at.
CREATE TABLE identity_factor_tries (
    person_id TEXT   NOT NULL PRIMARY KEY REFERENCES identity_people (id) ON DELETE CASCADE,
    failures  BIGINT NOT NULL,
    last_at   BIGINT NOT NULL,
    next_at   BIGINT NOT NULL
);

-- When a factor was first required of somebody who has none.
CREATE TABLE identity_factor_grace (
    person_id TEXT   NOT NULL PRIMARY KEY REFERENCES identity_people (id) ON DELETE CASCADE,
    began_at  BIGINT NOT NULL
);

-- +goose Down
DROP TABLE identity_factor_grace;
DROP TABLE identity_factor_tries;
DROP TABLE identity_relays;
DROP TABLE identity_recovery_codes;
DROP TABLE identity_app_enrolments;
DROP TABLE identity_spent_challenges;
DROP TABLE identity_keys;
DROP TABLE identity_factors;
