-- +goose Up
-- The words of each ticket, folded. Identifiers of tickets are in the order of time:
-- the newest with a word are read without sorting.
CREATE TABLE helpdesk_words (
    word      TEXT NOT NULL,
    ticket_id TEXT NOT NULL,
    PRIMARY KEY (word, ticket_id)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE helpdesk_words;
