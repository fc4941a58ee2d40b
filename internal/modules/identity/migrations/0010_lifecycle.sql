-- +goose Up
-- Who decided what about an account, why, from when and until when. Rows are
-- added and lifted, never changed otherwise. The words of the reason are kept as
-- they were said to the person, whatever the institution's list becomes.
CREATE TABLE identity_decisions (
    id          TEXT    NOT NULL PRIMARY KEY,
    person_id   TEXT    NOT NULL REFERENCES identity_people (id) ON DELETE CASCADE,
    state       TEXT    NOT NULL CHECK (state IN ('active', 'expiring', 'suspended', 'closed')),
    base_state  TEXT    NOT NULL CHECK (base_state IN ('invited', 'active')),
    reason      TEXT    NOT NULL,
    text_fr     TEXT    NOT NULL,
    text_en     TEXT    NOT NULL,
    office_fr   TEXT    NOT NULL,
    office_en   TEXT    NOT NULL,
    contact     TEXT    NOT NULL,
    shown       BOOLEAN NOT NULL,
    note        TEXT    NOT NULL,
    rule        TEXT    NOT NULL,
    decided_by  TEXT    NOT NULL,
    decided_at  BIGINT  NOT NULL,
    from_at     BIGINT  NOT NULL,
    until_at    BIGINT  NOT NULL,
    deletion_at BIGINT  NOT NULL,
    told_at     BIGINT  NOT NULL,
    lifted_by   TEXT    NOT NULL,
    lifted_at   BIGINT  NOT NULL,
    lift_note   TEXT    NOT NULL
);
CREATE INDEX identity_decisions_by_person ON identity_decisions (person_id, decided_at);
CREATE INDEX identity_decisions_by_end ON identity_decisions (lifted_at, until_at);
CREATE INDEX identity_decisions_by_deletion ON identity_decisions (deletion_at);

-- Which of the notices before the end of an account were sent.
CREATE TABLE identity_decision_notices (
    decision_id TEXT    NOT NULL REFERENCES identity_decisions (id) ON DELETE CASCADE,
    days        INTEGER NOT NULL,
    sent_at     BIGINT  NOT NULL,
    PRIMARY KEY (decision_id, days)
);

-- Until when somebody belongs to the institution; 0 means without an end.
CREATE TABLE identity_registrations (
    person_id  TEXT   NOT NULL REFERENCES identity_people (id) ON DELETE CASCADE,
    kind       TEXT   NOT NULL CHECK (kind IN ('student', 'teacher', 'staff', 'guest')),
    until_at   BIGINT NOT NULL,
    source     TEXT   NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (person_id, kind)
);
CREATE INDEX identity_registrations_by_end ON identity_registrations (until_at);

-- A way back for somebody who has lost everything: two agents approve, the
-- person is warned, time passes, then one code opens it.
CREATE TABLE identity_supervised (
    id               TEXT    NOT NULL PRIMARY KEY,
    person_id        TEXT    NOT NULL REFERENCES identity_people (id) ON DELETE CASCADE,
    opened_by        TEXT    NOT NULL,
    opened_at        BIGINT  NOT NULL,
    words            TEXT    NOT NULL,
    incident         TEXT    NOT NULL,
    first_by         TEXT    NOT NULL,
    first_at         BIGINT  NOT NULL,
    first_documents  TEXT    NOT NULL,
    first_in_person  BOOLEAN NOT NULL,
    second_by        TEXT    NOT NULL,
    second_at        BIGINT  NOT NULL,
    second_documents TEXT    NOT NULL,
    second_in_person BOOLEAN NOT NULL,
    ready_at         BIGINT  NOT NULL,
    link_hash        TEXT COLLATE "C" NOT NULL,
    given_by         TEXT    NOT NULL,
    given_at         BIGINT  NOT NULL,
    ended            TEXT    NOT NULL CHECK (ended IN ('', 'done', 'refused', 'stopped', 'lapsed')),
    ended_by         TEXT    NOT NULL,
    ended_at         BIGINT  NOT NULL,
    ended_words      TEXT    NOT NULL
);
-- One way back at a time for one person.
CREATE UNIQUE INDEX identity_supervised_open ON identity_supervised (person_id) WHERE ended = '';
CREATE INDEX identity_supervised_by_opening ON identity_supervised (ended, opened_at);
CREATE INDEX identity_supervised_by_link ON identity_supervised (link_hash);

-- +goose Down
DROP TABLE identity_supervised;
DROP TABLE identity_registrations;
DROP TABLE identity_decision_notices;
DROP TABLE identity_decisions;
