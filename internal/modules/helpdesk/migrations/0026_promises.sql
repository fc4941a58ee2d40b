-- +goose Up
-- When to look at a ticket's promised times again, and what was said about them already.
CREATE TABLE helpdesk_alarms (
    ticket_id TEXT   NOT NULL PRIMARY KEY REFERENCES helpdesk_tickets (id) ON DELETE CASCADE,
    rings_at  BIGINT NOT NULL, -- 0: nothing to say while the ticket stays as it is
    said      TEXT COLLATE "C" NOT NULL -- letters: a, A first answer near, missed; s, S solution
);
CREATE INDEX helpdesk_alarms_by_time ON helpdesk_alarms (rings_at) WHERE rings_at > 0;

-- How long requests took in the last weeks, in opening hours, for those with enough cases.
CREATE TABLE helpdesk_estimates (
    queue_id      TEXT   NOT NULL,
    priority      BIGINT NOT NULL,
    likeness      TEXT COLLATE "C" NOT NULL, -- reason, area, or empty for all of the queue and priority
    liked         TEXT COLLATE "C" NOT NULL, -- the reason code or the area
    answer_cases  BIGINT NOT NULL,
    answer_median BIGINT NOT NULL, -- microseconds
    answer_late   BIGINT NOT NULL, -- 80th percentile
    solve_cases   BIGINT NOT NULL,
    solve_median  BIGINT NOT NULL,
    solve_late    BIGINT NOT NULL,
    counted_at    BIGINT NOT NULL,
    PRIMARY KEY (queue_id, priority, likeness, liked)
);

-- +goose Down
DROP TABLE helpdesk_estimates;
DROP TABLE helpdesk_alarms;
