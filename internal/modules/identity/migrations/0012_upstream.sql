-- +goose Up
-- One journey of a browser to an upstream and back. Only hashes of the token that
-- travels and of the browser's cookie are kept. claimed_at is set once, by the
-- answer that came first; told_at when somebody who never came back was told why.
-- purpose is 'sign_in', or 'test' for an administrator who looks at what comes back.
CREATE TABLE identity_upstream_transactions (
    id           TEXT    NOT NULL PRIMARY KEY,
    upstream     TEXT COLLATE "C" NOT NULL,
    token_hash   TEXT COLLATE "C" NOT NULL UNIQUE,
    browser_hash TEXT COLLATE "C" NOT NULL,
    purpose      TEXT    NOT NULL CHECK (purpose IN ('sign_in', 'test')),
    person_id    TEXT    NOT NULL,
    next         TEXT    NOT NULL,
    shared       BOOLEAN NOT NULL,
    forced       BOOLEAN NOT NULL,
    plain        BOOLEAN NOT NULL,
    login_hint   TEXT    NOT NULL,
    secrets      TEXT    NOT NULL,
    answer       TEXT    NOT NULL,
    resume_hash  TEXT COLLATE "C" NOT NULL,
    logout_hint  TEXT    NOT NULL,
    started_at   BIGINT  NOT NULL,
    claimed_at   BIGINT  NOT NULL,
    finished_at  BIGINT  NOT NULL,
    told_at      BIGINT  NOT NULL
);
CREATE INDEX identity_upstream_transactions_by_browser ON identity_upstream_transactions (browser_hash, started_at);
CREATE INDEX identity_upstream_transactions_by_upstream ON identity_upstream_transactions (upstream, started_at);
CREATE INDEX identity_upstream_transactions_by_start ON identity_upstream_transactions (started_at);
CREATE INDEX identity_upstream_transactions_by_resume ON identity_upstream_transactions (resume_hash);

-- Who of an upstream is who of ours. issuer and subject are the upstream's names
-- for ever. A row with state 'prepared' was written before its owner came: subject
-- is then the external identifier, and issuer is empty.
CREATE TABLE identity_upstream_links (
    id         TEXT   NOT NULL PRIMARY KEY,
    upstream   TEXT COLLATE "C" NOT NULL,
    issuer     TEXT COLLATE "C" NOT NULL,
    subject    TEXT COLLATE "C" NOT NULL,
    person_id  TEXT   NOT NULL REFERENCES identity_people (id) ON DELETE CASCADE,
    state      TEXT   NOT NULL CHECK (state IN ('prepared', 'linked')),
    rule       TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    made_at    BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    UNIQUE (upstream, issuer, subject)
);
CREATE INDEX identity_upstream_links_by_person ON identity_upstream_links (person_id, made_at);

-- What an upstream answered, for those who run it. A wrong password is none of
-- their business and writes nothing.
CREATE TABLE identity_upstream_events (
    id         TEXT   NOT NULL PRIMARY KEY,
    upstream   TEXT COLLATE "C" NOT NULL,
    reason     TEXT   NOT NULL,
    expected   TEXT   NOT NULL,
    received   TEXT   NOT NULL,
    code       TEXT   NOT NULL,
    words      TEXT   NOT NULL,
    incident   TEXT   NOT NULL,
    timed      BOOLEAN NOT NULL,
    ahead      BIGINT NOT NULL,
    noted_at   BIGINT NOT NULL
);
CREATE INDEX identity_upstream_events_by_upstream ON identity_upstream_events (upstream, noted_at);

-- +goose Down
DROP TABLE identity_upstream_events;
DROP TABLE identity_upstream_links;
DROP TABLE identity_upstream_transactions;
