-- +goose Up
-- Who opened whose file: one line for an agent, a page and a day.
CREATE TABLE privacy_looks (
    id        TEXT   NOT NULL PRIMARY KEY,
    person_id TEXT   NOT NULL,
    agent_id  TEXT   NOT NULL,
    as_right  TEXT   NOT NULL,
    what      TEXT COLLATE "C" NOT NULL, -- key of a sentence
    why       TEXT   NOT NULL,
    day       TEXT COLLATE "C" NOT NULL, -- 2006-01-02, in the institution's zone
    first_at  BIGINT NOT NULL,
    last_at   BIGINT NOT NULL,
    times     BIGINT NOT NULL,
    UNIQUE (person_id, agent_id, what, why, day)
);
CREATE INDEX privacy_looks_by_person ON privacy_looks (person_id, last_at);
CREATE INDEX privacy_looks_by_agent ON privacy_looks (agent_id);
CREATE INDEX privacy_looks_by_age ON privacy_looks (last_at);

CREATE TABLE privacy_exports (
    id         TEXT   NOT NULL PRIMARY KEY,
    person_id  TEXT   NOT NULL,
    state      TEXT   NOT NULL CHECK (state IN ('waiting', 'running', 'ready', 'failed', 'gone')),
    asked_at   BIGINT NOT NULL,
    done       BIGINT NOT NULL, -- rooms, of total
    total      BIGINT NOT NULL,
    room       TEXT   NOT NULL, -- at which it is
    file_ref   TEXT COLLATE "C" NOT NULL,
    size       BIGINT NOT NULL,
    ready_at   BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    fetched_at BIGINT NOT NULL,
    fetches    BIGINT NOT NULL,
    reason     TEXT   NOT NULL  -- code of why it failed, or went
);
CREATE INDEX privacy_exports_by_person ON privacy_exports (person_id, asked_at);
CREATE UNIQUE INDEX privacy_exports_one ON privacy_exports (person_id) WHERE state IN ('waiting', 'running');
CREATE INDEX privacy_exports_by_end ON privacy_exports (expires_at);

CREATE TABLE privacy_requests (
    id          TEXT   NOT NULL PRIMARY KEY,
    number      BIGINT NOT NULL UNIQUE,
    person_id   TEXT   NOT NULL,
    kind        TEXT   NOT NULL CHECK (kind IN ('rectification', 'erasure', 'objection', 'restriction')),
    state       TEXT   NOT NULL CHECK (state IN ('open', 'asked', 'erasing', 'done', 'refused', 'withdrawn')),
    words       TEXT   NOT NULL,
    asked_at    BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    extended_at BIGINT NOT NULL,
    extension   TEXT   NOT NULL, -- why it takes longer
    taken_by    TEXT   NOT NULL,
    taken_at    BIGINT NOT NULL,
    decided_by  TEXT   NOT NULL,
    decided_at  BIGINT NOT NULL,
    answer      TEXT   NOT NULL
);
CREATE INDEX privacy_requests_by_person ON privacy_requests (person_id, asked_at);
CREATE INDEX privacy_requests_by_state ON privacy_requests (state, due_at);

CREATE TABLE privacy_messages (
    id         TEXT   NOT NULL PRIMARY KEY,
    request_id TEXT   NOT NULL REFERENCES privacy_requests (id) ON DELETE CASCADE,
    author     TEXT   NOT NULL CHECK (author IN ('person', 'officer')),
    author_id  TEXT   NOT NULL,
    words      TEXT   NOT NULL,
    said_at    BIGINT NOT NULL
);
CREATE INDEX privacy_messages_by_request ON privacy_messages (request_id, said_at);

-- What must not be erased, of a person or of a category of people.
CREATE TABLE privacy_holds (
    id        TEXT   NOT NULL PRIMARY KEY,
    person_id TEXT   NOT NULL, -- empty for a category
    kind      TEXT   NOT NULL, -- affiliation that it is about; empty for one person
    room      TEXT   NOT NULL, -- empty for every room
    reason    TEXT   NOT NULL,
    until_at  BIGINT NOT NULL, -- 0: until it is lifted
    placed_by TEXT   NOT NULL,
    placed_at BIGINT NOT NULL,
    lifted_by TEXT   NOT NULL,
    lifted_at BIGINT NOT NULL
);
CREATE INDEX privacy_holds_by_person ON privacy_holds (person_id, lifted_at);

CREATE TABLE privacy_erasures (
    id          TEXT   NOT NULL PRIMARY KEY,
    person_id   TEXT   NOT NULL, -- empty once it is done
    sealed      TEXT   NOT NULL, -- by what tables may name the person, until it is done
    cause       TEXT   NOT NULL CHECK (cause IN ('request', 'due')),
    request_id  TEXT   NOT NULL,
    rule        TEXT   NOT NULL,
    state       TEXT   NOT NULL CHECK (state IN ('proposed', 'waiting', 'running', 'done', 'stopped', 'dismissed')),
    kept        TEXT   NOT NULL, -- JSON: room to the reason for which it keeps what it has
    reason      TEXT   NOT NULL, -- code of why it stopped
    proposed_at BIGINT NOT NULL,
    ordered_by  TEXT   NOT NULL, -- empty: by policy
    ordered_at  BIGINT NOT NULL,
    ended_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX privacy_erasures_one ON privacy_erasures (person_id) WHERE state IN ('proposed', 'waiting', 'running');
CREATE INDEX privacy_erasures_by_state ON privacy_erasures (state, proposed_at);
CREATE INDEX privacy_erasures_by_request ON privacy_erasures (request_id);

CREATE TABLE privacy_steps (
    erasure_id  TEXT   NOT NULL REFERENCES privacy_erasures (id) ON DELETE CASCADE,
    room        TEXT   NOT NULL,
    table_name  TEXT   NOT NULL,
    column_name TEXT   NOT NULL,
    fate        TEXT   NOT NULL,
    row_count   BIGINT NOT NULL,
    why         TEXT   NOT NULL,
    done_at     BIGINT NOT NULL,
    PRIMARY KEY (erasure_id, room, table_name, column_name, fate)
);

-- What was erased, chained: a line that is changed or taken out is seen. Nothing in
-- it names anybody; subject recognises a login that is asked about.
CREATE TABLE privacy_proofs (
    seq        BIGINT NOT NULL PRIMARY KEY,
    erasure_id TEXT   NOT NULL UNIQUE,
    proved_at  BIGINT NOT NULL,
    subject    TEXT COLLATE "C" NOT NULL,
    facts      TEXT   NOT NULL,
    previous   TEXT   NOT NULL,
    hash       TEXT   NOT NULL
);
CREATE INDEX privacy_proofs_by_subject ON privacy_proofs (subject);

CREATE TABLE privacy_head (
    id     BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    number BIGINT NOT NULL, -- of the newest request
    seq    BIGINT NOT NULL, -- of the newest proof
    hash   TEXT   NOT NULL
);
INSERT INTO privacy_head (id, number, seq, hash) VALUES (1, 0, 0, '');

-- +goose Down
DROP TABLE privacy_head;
DROP TABLE privacy_proofs;
DROP TABLE privacy_steps;
DROP TABLE privacy_erasures;
DROP TABLE privacy_holds;
DROP TABLE privacy_messages;
DROP TABLE privacy_requests;
DROP TABLE privacy_exports;
DROP TABLE privacy_looks;
