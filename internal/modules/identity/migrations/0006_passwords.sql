-- +goose Up
-- The passwords that somebody had lately, the current one included. A mark is a
-- few keyed bits that tell an old password at sign-in without an argon2 hash.
CREATE TABLE identity_password_history (
    id          TEXT   NOT NULL PRIMARY KEY,
    person_id   TEXT   NOT NULL REFERENCES identity_people (id) ON DELETE CASCADE,
    hash        TEXT   NOT NULL,
    mark        TEXT   NOT NULL,
    set_at      BIGINT NOT NULL,
    replaced_at BIGINT NOT NULL
);
CREATE INDEX identity_password_history_by_person ON identity_password_history (person_id, set_at);

-- What must happen to somebody's password, and of which end of it they were warned.
CREATE TABLE identity_password_demands (
    person_id  TEXT   NOT NULL PRIMARY KEY REFERENCES identity_people (id) ON DELETE CASCADE,
    reason     TEXT   NOT NULL CHECK (reason IN ('', 'set_by_agent', 'breached')),
    since_at   BIGINT NOT NULL,
    warned_for BIGINT NOT NULL
);

-- One forgotten password on its way. A row exists for names that nobody has too:
-- its person is then empty, and nothing is ever sent.
CREATE TABLE identity_recoveries (
    id         TEXT   NOT NULL PRIMARY KEY,
    token_hash TEXT   COLLATE "C" NOT NULL UNIQUE,
    link_hash  TEXT   COLLATE "C" NOT NULL,
    sealed     TEXT   NOT NULL, -- the newest code, until it is used
    person_id  TEXT   NOT NULL,
    method     TEXT   NOT NULL,
    sent_by    TEXT   NOT NULL,
    address    TEXT   NOT NULL,
    user_agent TEXT   NOT NULL,
    started_at BIGINT NOT NULL,
    ends_at    BIGINT NOT NULL,
    sent_at    BIGINT NOT NULL,
    sendings   BIGINT NOT NULL,
    proved_at  BIGINT NOT NULL,
    done_at    BIGINT NOT NULL
);
CREATE INDEX identity_recoveries_by_person ON identity_recoveries (person_id, proved_at);
CREATE INDEX identity_recoveries_by_link ON identity_recoveries (link_hash);

-- +goose Down
DROP TABLE identity_recoveries;
DROP TABLE identity_password_demands;
DROP TABLE identity_password_history;
