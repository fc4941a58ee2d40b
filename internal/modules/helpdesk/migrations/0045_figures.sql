-- +goose Up
CREATE INDEX helpdesk_tickets_by_answered ON helpdesk_tickets (answered_at) WHERE answered_at > 0;
CREATE INDEX helpdesk_tickets_by_solved ON helpdesk_tickets (solved_at) WHERE solved_at > 0;
CREATE INDEX helpdesk_tickets_by_rated ON helpdesk_tickets (rated_at) WHERE rated_at > 0;

-- What happened on a day in a queue for a campus, counted: nobody is in it.
CREATE TABLE helpdesk_days (
    day      BIGINT NOT NULL, -- days since 1970
    queue_id TEXT COLLATE "C" NOT NULL,
    campus   TEXT COLLATE "C" NOT NULL,
    opened   BIGINT NOT NULL,
    solved   BIGINT NOT NULL,
    tally    TEXT   NOT NULL, -- JSON: the rest
    PRIMARY KEY (day, queue_id, campus)
);

-- Days on which something changed, and how far they were counted.
CREATE TABLE helpdesk_day_marks (
    day     BIGINT NOT NULL PRIMARY KEY,
    changes BIGINT NOT NULL,
    counted BIGINT NOT NULL
);

-- +goose Down
DROP TABLE helpdesk_day_marks;
DROP TABLE helpdesk_days;
DROP INDEX helpdesk_tickets_by_rated;
DROP INDEX helpdesk_tickets_by_solved;
DROP INDEX helpdesk_tickets_by_answered;
