-- +goose Up
-- A session that ended stays for a while, so that the next request with its
-- cookie can be told why it is over.
CREATE TABLE identity_sessions (
    id           TEXT    NOT NULL PRIMARY KEY,
    token_hash   TEXT COLLATE "C" NOT NULL UNIQUE,
    person_id    TEXT    NOT NULL REFERENCES identity_people (id) ON DELETE CASCADE,
    shared       BOOLEAN NOT NULL,
    signed_in_at BIGINT  NOT NULL,
    last_seen_at BIGINT  NOT NULL,
    idle_at      BIGINT  NOT NULL,
    expires_at   BIGINT  NOT NULL,
    ended_at     BIGINT  NOT NULL,
    end_reason   TEXT    NOT NULL,
    address      TEXT    NOT NULL,
    user_agent   TEXT    NOT NULL
);
CREATE INDEX identity_sessions_by_person ON identity_sessions (person_id, ended_at);
CREATE INDEX identity_sessions_by_idle ON identity_sessions (ended_at, idle_at);

-- +goose Down
DROP TABLE identity_sessions;
