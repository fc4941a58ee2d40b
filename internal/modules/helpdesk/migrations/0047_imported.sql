-- +goose Up
-- What was taken over from another program, so that it is taken over once.
CREATE TABLE helpdesk_imported (
    source     TEXT COLLATE "C" NOT NULL, -- as whoever imported it named the other program
    foreign_id TEXT COLLATE "C" NOT NULL, -- its own identifier
    ticket_id  TEXT   NOT NULL,           -- stays when the ticket was deleted: it does not come back
    taken_at   BIGINT NOT NULL,
    PRIMARY KEY (source, foreign_id)
);

-- +goose Down
DROP TABLE helpdesk_imported;
