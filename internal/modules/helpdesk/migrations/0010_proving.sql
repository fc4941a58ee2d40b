-- +goose Up
-- What people began without signing in and what waits until they showed, by a code,
-- that an address is theirs. What they wrote is sealed.
CREATE TABLE helpdesk_begun (
    id         TEXT   NOT NULL PRIMARY KEY,
    token_hash TEXT COLLATE "C" NOT NULL UNIQUE, -- of the cookie of their browser
    purpose    TEXT COLLATE "C" NOT NULL,
    sealed     TEXT   NOT NULL,
    made_at    BIGINT NOT NULL
);
CREATE INDEX helpdesk_begun_by_time ON helpdesk_begun (made_at);

-- Codes that were sent, to bound them. The keys recognise an address or a network
-- without naming it.
CREATE TABLE helpdesk_proofs (
    id          TEXT   NOT NULL PRIMARY KEY,
    contact_key TEXT COLLATE "C" NOT NULL,
    network_key TEXT COLLATE "C" NOT NULL,
    sent_at     BIGINT NOT NULL
);
CREATE INDEX helpdesk_proofs_by_contact ON helpdesk_proofs (contact_key, sent_at);
CREATE INDEX helpdesk_proofs_by_network ON helpdesk_proofs (network_key, sent_at);
CREATE INDEX helpdesk_proofs_by_time ON helpdesk_proofs (sent_at);

-- +goose Down
DROP TABLE helpdesk_proofs;
DROP TABLE helpdesk_begun;
