-- +goose Up
-- Programs that work with tickets, each by a token of its own.
CREATE TABLE helpdesk_tokens (
    id         TEXT   NOT NULL PRIMARY KEY,
    label      TEXT   NOT NULL,
    hash       TEXT COLLATE "C" NOT NULL UNIQUE,
    may_write  BIGINT NOT NULL, -- 1: opens and changes tickets
    may_hook   BIGINT NOT NULL, -- 1: keeps webhooks
    queues     TEXT   NOT NULL, -- JSON: identifiers; none is all
    campuses   TEXT   NOT NULL, -- JSON: codes; none is all
    made_by    TEXT   NOT NULL,
    made_at    BIGINT NOT NULL,
    ends_at    BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    used_from  TEXT COLLATE "C" NOT NULL, -- network address of the last use
    revoked_by TEXT   NOT NULL,
    revoked_at BIGINT NOT NULL
);
CREATE INDEX helpdesk_tokens_by_maker ON helpdesk_tokens (made_by);

-- Tickets that a program opened under a key of its own: sent twice, it is one ticket.
CREATE TABLE helpdesk_api_keys (
    token_id  TEXT NOT NULL REFERENCES helpdesk_tokens (id) ON DELETE CASCADE,
    key       TEXT COLLATE "C" NOT NULL,
    body_hash TEXT COLLATE "C" NOT NULL,
    ticket_id TEXT NOT NULL REFERENCES helpdesk_tickets (id) ON DELETE CASCADE,
    made_at   BIGINT NOT NULL,
    PRIMARY KEY (token_id, key)
);
CREATE INDEX helpdesk_api_keys_by_time ON helpdesk_api_keys (made_at);
CREATE INDEX helpdesk_api_keys_by_ticket ON helpdesk_api_keys (ticket_id);

-- Programs that are told what happens.
CREATE TABLE helpdesk_hooks (
    id         TEXT   NOT NULL PRIMARY KEY,
    label      TEXT   NOT NULL,
    address    TEXT   NOT NULL, -- sealed: some receivers are known by it alone
    host       TEXT   NOT NULL, -- what may be shown of the address
    shape      TEXT COLLATE "C" NOT NULL CHECK (shape IN ('standard', 'slack', 'mattermost')),
    kinds      TEXT   NOT NULL, -- JSON: which events; none is all
    queues     TEXT   NOT NULL, -- JSON: identifiers; none is all
    campuses   TEXT   NOT NULL, -- JSON: codes; none is all
    secret     TEXT   NOT NULL, -- sealed
    made_by    TEXT   NOT NULL,
    token_id   TEXT   NOT NULL, -- of the program that made it; empty for a person
    made_at    BIGINT NOT NULL
);
CREATE INDEX helpdesk_hooks_by_maker ON helpdesk_hooks (made_by) WHERE made_by <> '';

-- What they were told. The words of a message are made when it leaves: here is only
-- what happened.
CREATE TABLE helpdesk_deliveries (
    id        TEXT   NOT NULL PRIMARY KEY,
    hook_id   TEXT   NOT NULL REFERENCES helpdesk_hooks (id) ON DELETE CASCADE,
    ticket_id TEXT   NOT NULL REFERENCES helpdesk_tickets (id) ON DELETE CASCADE,
    kind      TEXT COLLATE "C" NOT NULL,
    facts     TEXT   NOT NULL, -- JSON
    state     TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'sent', 'failed')),
    attempts  BIGINT NOT NULL,
    status    BIGINT NOT NULL, -- of the last answer; 0 for none
    problem   TEXT   NOT NULL,
    made_at   BIGINT NOT NULL,
    tried_at  BIGINT NOT NULL
);
CREATE INDEX helpdesk_deliveries_by_hook ON helpdesk_deliveries (hook_id, made_at);
CREATE INDEX helpdesk_deliveries_by_ticket ON helpdesk_deliveries (ticket_id);
CREATE INDEX helpdesk_deliveries_by_time ON helpdesk_deliveries (made_at);

-- +goose Down
DROP TABLE helpdesk_deliveries;
DROP TABLE helpdesk_hooks;
DROP TABLE helpdesk_api_keys;
DROP TABLE helpdesk_tokens;
