-- +goose Up
-- What happened with people's accounts, in one chain: each row holds the hash of
-- the one before it. Rows are only ever added; the triggers below stop a slip of
-- the hand, the chain and the signed head show a deliberate change.
-- The SQLite twin differs by its triggers only.
CREATE TABLE identity_journal (
    seq       BIGINT NOT NULL PRIMARY KEY,
    at        BIGINT NOT NULL,
    person_id TEXT   NOT NULL,
    actor_id  TEXT   NOT NULL,
    kind      TEXT   NOT NULL,
    address   TEXT   NOT NULL,
    agent     TEXT   NOT NULL,
    facts     TEXT   NOT NULL,
    previous  TEXT COLLATE "C" NOT NULL,
    hash      TEXT COLLATE "C" NOT NULL
);
CREATE INDEX identity_journal_by_person ON identity_journal (person_id, seq);
CREATE INDEX identity_journal_by_kind ON identity_journal (kind, seq);
CREATE INDEX identity_journal_by_time ON identity_journal (at);

-- The two ends of the chain, signed together with a key that is not in the
-- database. Rows up to start_seq were forgotten when their time was over.
CREATE TABLE identity_journal_head (
    id          BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    seq         BIGINT NOT NULL,
    hash        TEXT   NOT NULL,
    start_seq   BIGINT NOT NULL,
    start_hash  TEXT   NOT NULL,
    mac         TEXT   NOT NULL,
    verified_at BIGINT NOT NULL,
    verified_to BIGINT NOT NULL,
    broken_seq  BIGINT NOT NULL,
    broken_how  TEXT   NOT NULL
);
INSERT INTO identity_journal_head (id, seq, hash, start_seq, start_hash, mac, verified_at, verified_to, broken_seq, broken_how)
VALUES (1, 0, '', 0, '', '', 0, 0, 0, '');

-- +goose StatementBegin
CREATE FUNCTION identity_journal_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.seq <= (SELECT start_seq FROM identity_journal_head) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the journal is only added to';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER identity_journal_no_change BEFORE UPDATE OR DELETE ON identity_journal
    FOR EACH ROW EXECUTE FUNCTION identity_journal_refuse();
CREATE TRIGGER identity_journal_no_truncate BEFORE TRUNCATE ON identity_journal
    FOR EACH STATEMENT EXECUTE FUNCTION identity_journal_refuse();

-- +goose Down
DROP TABLE identity_journal_head;
DROP TABLE identity_journal;
DROP FUNCTION identity_journal_refuse;
