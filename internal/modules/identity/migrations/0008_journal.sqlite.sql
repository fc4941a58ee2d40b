-- The PostgreSQL twin explains the tables. The next line hides this file from
-- sqlc, which reads the folder as PostgreSQL and knows no triggers of SQLite.
-- migrate:down
-- +goose Up
CREATE TABLE identity_journal (
    seq       INTEGER NOT NULL PRIMARY KEY,
    at        INTEGER NOT NULL,
    person_id TEXT    NOT NULL,
    actor_id  TEXT    NOT NULL,
    kind      TEXT    NOT NULL,
    address   TEXT    NOT NULL,
    agent     TEXT    NOT NULL,
    facts     TEXT    NOT NULL,
    previous  TEXT    NOT NULL,
    hash      TEXT    NOT NULL
) STRICT;
CREATE INDEX identity_journal_by_person ON identity_journal (person_id, seq);
CREATE INDEX identity_journal_by_kind ON identity_journal (kind, seq);
CREATE INDEX identity_journal_by_time ON identity_journal (at);

CREATE TABLE identity_journal_head (
    id          INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    seq         INTEGER NOT NULL,
    hash        TEXT    NOT NULL,
    start_seq   INTEGER NOT NULL,
    start_hash  TEXT    NOT NULL,
    mac         TEXT    NOT NULL,
    verified_at INTEGER NOT NULL,
    verified_to INTEGER NOT NULL,
    broken_seq  INTEGER NOT NULL,
    broken_how  TEXT    NOT NULL
) STRICT;
INSERT INTO identity_journal_head (id, seq, hash, start_seq, start_hash, mac, verified_at, verified_to, broken_seq, broken_how)
VALUES (1, 0, '', 0, '', '', 0, 0, 0, '');

-- +goose StatementBegin
CREATE TRIGGER identity_journal_no_update BEFORE UPDATE ON identity_journal
BEGIN
    SELECT RAISE(ABORT, 'the journal is only added to');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER identity_journal_no_delete BEFORE DELETE ON identity_journal
WHEN OLD.seq > (SELECT start_seq FROM identity_journal_head)
BEGIN
    SELECT RAISE(ABORT, 'the journal is only added to');
END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE identity_journal_head;
DROP TABLE identity_journal;
