-- +goose Up
-- What an agent is writing and has not sent: one for each ticket and agent.
CREATE TABLE helpdesk_writing (
    ticket_id  TEXT   NOT NULL REFERENCES helpdesk_tickets (id) ON DELETE CASCADE,
    agent_id   TEXT   NOT NULL,
    internal   BIGINT NOT NULL, -- 1: a note among agents
    body       TEXT   NOT NULL,
    begun_at   BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (ticket_id, agent_id)
);
CREATE INDEX helpdesk_writing_by_agent ON helpdesk_writing (agent_id);
CREATE INDEX helpdesk_writing_by_change ON helpdesk_writing (changed_at);

-- Who hears of every change of a ticket.
CREATE TABLE helpdesk_watchers (
    ticket_id TEXT   NOT NULL REFERENCES helpdesk_tickets (id) ON DELETE CASCADE,
    person_id TEXT   NOT NULL,
    since_at  BIGINT NOT NULL,
    PRIMARY KEY (ticket_id, person_id)
);
CREATE INDEX helpdesk_watchers_by_person ON helpdesk_watchers (person_id);

-- Tickets that belong together; each pair stands here both ways.
CREATE TABLE helpdesk_links (
    ticket_id TEXT NOT NULL REFERENCES helpdesk_tickets (id) ON DELETE CASCADE,
    other_id  TEXT NOT NULL REFERENCES helpdesk_tickets (id) ON DELETE CASCADE,
    PRIMARY KEY (ticket_id, other_id)
);
CREATE INDEX helpdesk_links_by_other ON helpdesk_links (other_id);

-- Texts that agents insert. A placeholder stands in braces.
CREATE TABLE helpdesk_templates (
    id         TEXT   NOT NULL PRIMARY KEY,
    title_fr   TEXT   NOT NULL,
    title_en   TEXT   NOT NULL,
    body_fr    TEXT   NOT NULL,
    body_en    TEXT   NOT NULL,
    changed_at BIGINT NOT NULL,
    closed_at  BIGINT NOT NULL -- when it was taken away; 0 for not
);

-- People who asked to be called back.
CREATE TABLE helpdesk_callbacks (
    ticket_id TEXT   NOT NULL PRIMARY KEY REFERENCES helpdesk_tickets (id) ON DELETE CASCADE,
    phone     TEXT COLLATE "C" NOT NULL,
    wished    TEXT   NOT NULL, -- when, in words
    due_at    BIGINT NOT NULL, -- when, as a time; 0 for none
    done_at   BIGINT NOT NULL
);
CREATE INDEX helpdesk_callbacks_open ON helpdesk_callbacks (due_at) WHERE done_at = 0;

CREATE INDEX helpdesk_tickets_by_merger ON helpdesk_tickets (merged_into) WHERE merged_into <> '';

-- +goose Down
DROP INDEX helpdesk_tickets_by_merger;
DROP TABLE helpdesk_callbacks;
DROP TABLE helpdesk_templates;
DROP TABLE helpdesk_links;
DROP TABLE helpdesk_watchers;
DROP TABLE helpdesk_writing;
