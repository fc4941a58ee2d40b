-- +goose Up
-- Tags that rules give to tickets: with the ticket, to be shown, and by tag, to be listed.
ALTER TABLE helpdesk_tickets ADD COLUMN tags TEXT NOT NULL DEFAULT '';
CREATE TABLE helpdesk_tags (
    tag       TEXT COLLATE "C" NOT NULL,
    ticket_id TEXT COLLATE "C" NOT NULL REFERENCES helpdesk_tickets (id) ON DELETE CASCADE,
    PRIMARY KEY (tag, ticket_id)
);
CREATE INDEX helpdesk_tags_by_ticket ON helpdesk_tags (ticket_id);

-- +goose Down
DROP TABLE helpdesk_tags;
ALTER TABLE helpdesk_tickets DROP COLUMN tags;
