-- +goose Up
-- The words of each ticket, folded. Identifiers of tickets are in the order of time:
-- the newest with a word are read without sorting.
CREATE TABLE helpdesk_words (
    word      TEXT COLLATE "C" NOT NULL,
    ticket_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (word, ticket_id)
);

-- +goose Down
DROP TABLE helpdesk_words;
