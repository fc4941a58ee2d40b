-- +goose Up
-- Somebody at a counter: by appointment, or with a number that they took there. The
-- counters themselves are settings.
CREATE TABLE helpdesk_visits (
    id         TEXT   NOT NULL PRIMARY KEY,
    counter_id TEXT   NOT NULL,
    series     TEXT   NOT NULL, -- 'A' with a number, 'R' by appointment
    day        TEXT   NOT NULL, -- where the counter is: 2026-11-23
    number     BIGINT NOT NULL, -- of the series on that day
    purpose    TEXT   NOT NULL, -- identifier within the counter; empty for another one
    state      TEXT   NOT NULL, -- booked, waiting, called, serving, done, absent, cancelled
    begins_at  BIGINT NOT NULL, -- of the appointment; when the number was taken
    ends_at    BIGINT NOT NULL, -- of the appointment; 0 for a number
    person_id  TEXT   NOT NULL, -- empty for nobody that the house knows
    name       TEXT   NOT NULL,
    mail       TEXT   NOT NULL, -- lower case
    phone      TEXT   NOT NULL, -- international form
    student    TEXT   NOT NULL, -- number typed at the kiosk
    locale     TEXT   NOT NULL,
    ticket_id  TEXT   NOT NULL, -- empty for none
    opened     BIGINT NOT NULL, -- 1: the ticket was opened for this visit
    made_at    BIGINT NOT NULL,
    arrived_at BIGINT NOT NULL,
    called_at  BIGINT NOT NULL, -- the last time
    calls      BIGINT NOT NULL,
    served_at  BIGINT NOT NULL, -- when the work began
    done_at    BIGINT NOT NULL, -- or cancelled, or given up
    agent_id   TEXT   NOT NULL, -- who called
    checked    TEXT   NOT NULL, -- kinds of documents that were shown, between commas; never their numbers
    note       TEXT   NOT NULL, -- of the agents
    told_at    BIGINT NOT NULL, -- when the reminder left
    version    BIGINT NOT NULL
);
CREATE UNIQUE INDEX helpdesk_visits_number ON helpdesk_visits (counter_id, day, series, number);
CREATE INDEX helpdesk_visits_by_time ON helpdesk_visits (counter_id, begins_at);
CREATE INDEX helpdesk_visits_by_person ON helpdesk_visits (person_id) WHERE person_id <> '';
CREATE INDEX helpdesk_visits_by_ticket ON helpdesk_visits (ticket_id) WHERE ticket_id <> '';

-- The last number of each series on a day.
CREATE TABLE helpdesk_visit_numbers (
    counter_id TEXT   NOT NULL,
    day        TEXT   NOT NULL,
    series     TEXT   NOT NULL,
    newest     BIGINT NOT NULL,
    PRIMARY KEY (counter_id, day, series)
);

-- Who changes the appointments of a counter writes here first: one after another.
CREATE TABLE helpdesk_counter_books (
    counter_id TEXT   NOT NULL PRIMARY KEY,
    changes    BIGINT NOT NULL
);

-- Devices and calendar programs that read a counter without a session.
CREATE TABLE helpdesk_counter_keys (
    id         TEXT   NOT NULL PRIMARY KEY,
    counter_id TEXT   NOT NULL,
    kind       TEXT   NOT NULL, -- kiosk, screen, feed
    token_hash TEXT   NOT NULL UNIQUE,
    label      TEXT   NOT NULL,
    made_at    BIGINT NOT NULL,
    made_by    TEXT   NOT NULL
);
CREATE INDEX helpdesk_counter_keys_by_counter ON helpdesk_counter_keys (counter_id);
CREATE INDEX helpdesk_counter_keys_by_person ON helpdesk_counter_keys (made_by);

-- +goose Down
DROP TABLE helpdesk_counter_keys;
DROP TABLE helpdesk_counter_books;
DROP TABLE helpdesk_visit_numbers;
DROP TABLE helpdesk_visits;
