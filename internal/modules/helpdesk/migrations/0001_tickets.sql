-- +goose Up
-- Queues: a team on a campus, or everywhere.
CREATE TABLE helpdesk_queues (
    id          TEXT   NOT NULL PRIMARY KEY,
    team        TEXT COLLATE "C" NOT NULL, -- accounts, portal, courses, network, hardware…
    campus      TEXT COLLATE "C" NOT NULL, -- code; empty for all
    name_fr     TEXT   NOT NULL,
    name_en     TEXT   NOT NULL,
    mail        TEXT COLLATE "C" NOT NULL, -- address of its mailbox; empty for none
    calendar_id TEXT   NOT NULL,           -- opening hours; empty for those of the house
    closed_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX helpdesk_queues_by_mail ON helpdesk_queues (mail) WHERE mail <> '';

-- Who works in a queue. The right to read it is another matter.
CREATE TABLE helpdesk_members (
    queue_id  TEXT NOT NULL REFERENCES helpdesk_queues (id) ON DELETE CASCADE,
    person_id TEXT NOT NULL,
    PRIMARY KEY (queue_id, person_id)
);
CREATE INDEX helpdesk_members_by_person ON helpdesk_members (person_id);

CREATE TABLE helpdesk_tickets (
    id              TEXT   NOT NULL PRIMARY KEY,
    number          TEXT COLLATE "C" NOT NULL UNIQUE, -- eight digits, the last one checks the others
    state           TEXT COLLATE "C" NOT NULL CHECK (state IN ('new', 'open', 'waiting', 'postponed', 'solved', 'closed', 'merged')),
    priority        BIGINT NOT NULL CHECK (priority BETWEEN 1 AND 4), -- 1 urgent … 4 low
    channel         TEXT COLLATE "C" NOT NULL, -- portal, mail, phone, desk, api, import
    subject         TEXT   NOT NULL,
    locale          TEXT COLLATE "C" NOT NULL,
    requester_id    TEXT   NOT NULL,           -- person; empty for somebody without an account here
    requester_name  TEXT   NOT NULL,
    requester_mail  TEXT COLLATE "C" NOT NULL, -- lower case
    requester_phone TEXT COLLATE "C" NOT NULL,
    proved_at       BIGINT NOT NULL,           -- when the requester showed that this is their address, or signed in
    campus          TEXT COLLATE "C" NOT NULL, -- code
    area            TEXT COLLATE "C" NOT NULL, -- account, portal, service, upstream, network, hardware, other
    service         TEXT COLLATE "C" NOT NULL, -- identifier in the register of services
    reason          TEXT COLLATE "C" NOT NULL, -- reason code of what stopped them
    incident_code   TEXT COLLATE "C" NOT NULL, -- of the sign-in that failed
    leaf            TEXT COLLATE "C" NOT NULL, -- where the guided diagnosis ended
    queue_id        TEXT   NOT NULL REFERENCES helpdesk_queues (id),
    assignee_id     TEXT   NOT NULL,           -- person; empty for nobody
    routed          TEXT   NOT NULL,           -- JSON: why this queue and this priority
    outage_id       TEXT   NOT NULL,           -- the incident that many have at once
    merged_into     TEXT   NOT NULL,
    split_from      TEXT   NOT NULL,
    opened_at       BIGINT NOT NULL,
    changed_at      BIGINT NOT NULL,
    answered_at     BIGINT NOT NULL,           -- first answer of an agent
    solved_at       BIGINT NOT NULL,
    closed_at       BIGINT NOT NULL,
    waiting_at      BIGINT NOT NULL,           -- since when it waits for the person
    postponed_at    BIGINT NOT NULL,           -- until when it is put off
    answer_due_at   BIGINT NOT NULL,           -- promised first answer
    solve_due_at    BIGINT NOT NULL,           -- promised solution
    paused          BIGINT NOT NULL,           -- microseconds of opening hours that it waited for the person
    escalated       BIGINT NOT NULL,           -- how often a promised time was nearly or really missed
    reopened        BIGINT NOT NULL,
    spent           BIGINT NOT NULL,           -- microseconds of agents' work
    messages        BIGINT NOT NULL,
    last_by         TEXT COLLATE "C" NOT NULL, -- who spoke last: requester, agent
    rating          BIGINT NOT NULL,           -- 0 none, 1 no, 2 partly, 3 yes
    rating_words    TEXT   NOT NULL,
    rated_at        BIGINT NOT NULL,
    version         BIGINT NOT NULL
);
CREATE INDEX helpdesk_tickets_by_queue ON helpdesk_tickets (queue_id, state, priority, opened_at);
CREATE INDEX helpdesk_tickets_by_assignee ON helpdesk_tickets (assignee_id, state, priority, opened_at) WHERE assignee_id <> '';
CREATE INDEX helpdesk_tickets_by_requester ON helpdesk_tickets (requester_id, opened_at) WHERE requester_id <> '';
CREATE INDEX helpdesk_tickets_by_mail ON helpdesk_tickets (requester_mail, opened_at) WHERE requester_mail <> '';
CREATE INDEX helpdesk_tickets_by_phone ON helpdesk_tickets (requester_phone) WHERE requester_phone <> '';
CREATE INDEX helpdesk_tickets_by_change ON helpdesk_tickets (changed_at);
CREATE INDEX helpdesk_tickets_by_opening ON helpdesk_tickets (opened_at);
CREATE INDEX helpdesk_tickets_by_outage ON helpdesk_tickets (outage_id) WHERE outage_id <> '';
CREATE INDEX helpdesk_tickets_by_incident ON helpdesk_tickets (incident_code) WHERE incident_code <> '';
CREATE INDEX helpdesk_tickets_by_answer ON helpdesk_tickets (answer_due_at) WHERE answer_due_at > 0 AND answered_at = 0;
CREATE INDEX helpdesk_tickets_by_solve ON helpdesk_tickets (solve_due_at) WHERE solve_due_at > 0 AND solved_at = 0;
CREATE INDEX helpdesk_tickets_by_postponed ON helpdesk_tickets (postponed_at) WHERE postponed_at > 0;

-- What was said, to everybody or among agents.
CREATE TABLE helpdesk_messages (
    id          TEXT   NOT NULL PRIMARY KEY,
    ticket_id   TEXT   NOT NULL REFERENCES helpdesk_tickets (id) ON DELETE CASCADE,
    said_at       BIGINT NOT NULL,
    author      TEXT COLLATE "C" NOT NULL CHECK (author IN ('requester', 'agent', 'other', 'house')),
    author_id   TEXT   NOT NULL,
    author_name TEXT   NOT NULL,
    author_mail TEXT COLLATE "C" NOT NULL,
    channel     TEXT COLLATE "C" NOT NULL,
    internal    BIGINT NOT NULL, -- 1: for agents alone
    body        TEXT   NOT NULL, -- plain text
    folded      TEXT   NOT NULL, -- quotations and signature of a mail
    mail_id     TEXT COLLATE "C" NOT NULL, -- Message-ID without brackets
    redacted_at BIGINT NOT NULL
);
CREATE INDEX helpdesk_messages_by_ticket ON helpdesk_messages (ticket_id, said_at, id);
CREATE INDEX helpdesk_messages_by_mail ON helpdesk_messages (mail_id) WHERE mail_id <> '';
CREATE INDEX helpdesk_messages_by_author ON helpdesk_messages (author_id) WHERE author_id <> '';

CREATE TABLE helpdesk_attachments (
    id         TEXT   NOT NULL PRIMARY KEY,
    ticket_id  TEXT   NOT NULL REFERENCES helpdesk_tickets (id) ON DELETE CASCADE,
    message_id TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    media_type TEXT   NOT NULL,
    size       BIGINT NOT NULL,
    file_ref   TEXT COLLATE "C" NOT NULL, -- empty when it was not kept
    refused    TEXT   NOT NULL            -- reason code of why not
);
CREATE INDEX helpdesk_attachments_by_ticket ON helpdesk_attachments (ticket_id, message_id);

-- What happened to it: one line for each change.
CREATE TABLE helpdesk_events (
    id        TEXT   NOT NULL PRIMARY KEY,
    ticket_id TEXT   NOT NULL REFERENCES helpdesk_tickets (id) ON DELETE CASCADE,
    happened_at     BIGINT NOT NULL,
    actor     TEXT COLLATE "C" NOT NULL CHECK (actor IN ('requester', 'agent', 'other', 'house')),
    actor_id  TEXT   NOT NULL,
    kind      TEXT COLLATE "C" NOT NULL, -- key of a sentence below helpdesk.event
    facts     TEXT   NOT NULL            -- JSON: its arguments
);
CREATE INDEX helpdesk_events_by_ticket ON helpdesk_events (ticket_id, happened_at, id);

-- What the house filled in when it was opened; the person saw each, and could take it away.
CREATE TABLE helpdesk_facts (
    ticket_id TEXT   NOT NULL REFERENCES helpdesk_tickets (id) ON DELETE CASCADE,
    position  BIGINT NOT NULL,
    label     TEXT COLLATE "C" NOT NULL, -- key of a sentence below helpdesk.fact
    content   TEXT   NOT NULL,
    PRIMARY KEY (ticket_id, position)
);

-- +goose Down
DROP TABLE helpdesk_facts;
DROP TABLE helpdesk_events;
DROP TABLE helpdesk_attachments;
DROP TABLE helpdesk_messages;
DROP TABLE helpdesk_tickets;
DROP TABLE helpdesk_members;
DROP TABLE helpdesk_queues;
