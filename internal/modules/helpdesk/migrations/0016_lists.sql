-- +goose Up
-- What agents list by.
CREATE INDEX helpdesk_tickets_by_state ON helpdesk_tickets (state, changed_at);
CREATE INDEX helpdesk_tickets_by_campus ON helpdesk_tickets (campus, changed_at);
CREATE INDEX helpdesk_tickets_by_queue_change ON helpdesk_tickets (queue_id, changed_at);
CREATE INDEX helpdesk_tickets_by_service ON helpdesk_tickets (service, changed_at) WHERE service <> '';

-- Lists that somebody keeps under a name.
CREATE TABLE helpdesk_views (
    id       TEXT   NOT NULL PRIMARY KEY,
    owner_id TEXT   NOT NULL, -- agent; empty for one that all agents have
    name     TEXT   NOT NULL,
    filter   TEXT   NOT NULL, -- as an address carries it
    made_at  BIGINT NOT NULL
);
CREATE INDEX helpdesk_views_by_owner ON helpdesk_views (owner_id, name);

-- Acts on several tickets at once, as long as they can be undone.
CREATE TABLE helpdesk_bulks (
    id       TEXT   NOT NULL PRIMARY KEY,
    agent_id TEXT   NOT NULL,
    act      TEXT COLLATE "C" NOT NULL,
    tickets  TEXT   NOT NULL, -- JSON: what each was before, and what stopped it
    acted_at BIGINT NOT NULL,
    undone_at BIGINT NOT NULL
);
CREATE INDEX helpdesk_bulks_by_agent ON helpdesk_bulks (agent_id);
CREATE INDEX helpdesk_bulks_by_age ON helpdesk_bulks (acted_at);

-- +goose Down
DROP TABLE helpdesk_bulks;
DROP TABLE helpdesk_views;
DROP INDEX helpdesk_tickets_by_service;
DROP INDEX helpdesk_tickets_by_queue_change;
DROP INDEX helpdesk_tickets_by_campus;
DROP INDEX helpdesk_tickets_by_state;
