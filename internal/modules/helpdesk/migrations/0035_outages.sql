-- +goose Up
-- What many have at once: incidents, and maintenance that is planned.
CREATE TABLE helpdesk_outages (
    id           TEXT   NOT NULL PRIMARY KEY,
    kind         TEXT COLLATE "C" NOT NULL CHECK (kind IN ('incident', 'maintenance')),
    state        TEXT COLLATE "C" NOT NULL CHECK (state IN ('suspected', 'investigating', 'identified', 'watching', 'planned', 'over', 'dismissed', 'merged')),
    impact       TEXT COLLATE "C" NOT NULL CHECK (impact IN ('slow', 'partly', 'down')),
    title_fr     TEXT   NOT NULL,
    title_en     TEXT   NOT NULL,
    alike        TEXT COLLATE "C" NOT NULL, -- key by which it was suspected; empty when somebody made it
    services     TEXT   NOT NULL,           -- JSON: identifiers in the register of services; none is all of the house
    campuses     TEXT   NOT NULL,           -- JSON: codes; none is everywhere
    begins_at    BIGINT NOT NULL,
    ends_at      BIGINT NOT NULL,           -- when it was over, or will be; 0 for nobody knows
    announced_at BIGINT NOT NULL,           -- since when everybody may read it; 0 for not yet
    changed_at   BIGINT NOT NULL,
    made_by      TEXT   NOT NULL,           -- person; empty for the house
    merged_into  TEXT   NOT NULL,
    version      BIGINT NOT NULL
);
CREATE INDEX helpdesk_outages_by_state ON helpdesk_outages (state, begins_at);
CREATE INDEX helpdesk_outages_by_alike ON helpdesk_outages (alike, changed_at) WHERE alike <> '';
CREATE INDEX helpdesk_outages_by_maker ON helpdesk_outages (made_by) WHERE made_by <> '';

-- By which keys new tickets attach themselves to a running incident. A key has one incident at a time.
CREATE TABLE helpdesk_outage_keys (
    alike     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    outage_id TEXT NOT NULL REFERENCES helpdesk_outages (id) ON DELETE CASCADE
);
CREATE INDEX helpdesk_outage_keys_by_outage ON helpdesk_outage_keys (outage_id);

-- How many tickets were opened by key, in buckets of five minutes: nobody is in it.
CREATE TABLE helpdesk_outage_counts (
    alike    TEXT COLLATE "C" NOT NULL,
    began_at BIGINT NOT NULL,
    opened   BIGINT NOT NULL,
    PRIMARY KEY (alike, began_at)
);
CREATE INDEX helpdesk_outage_counts_by_time ON helpdesk_outage_counts (began_at);

-- What was told, to everybody and in both languages; and, where it says so, written into every attached ticket.
CREATE TABLE helpdesk_outage_updates (
    id         TEXT   NOT NULL PRIMARY KEY,
    outage_id  TEXT   NOT NULL REFERENCES helpdesk_outages (id) ON DELETE CASCADE,
    told_at    BIGINT NOT NULL,
    state      TEXT COLLATE "C" NOT NULL,
    words_fr   TEXT   NOT NULL,
    words_en   TEXT   NOT NULL,
    author_id  TEXT   NOT NULL,
    answers    BIGINT NOT NULL, -- 1: a message of every attached ticket
    solves     BIGINT NOT NULL, -- 1: solves them too
    undone_at  BIGINT NOT NULL
);
CREATE INDEX helpdesk_outage_updates_by_outage ON helpdesk_outage_updates (outage_id, told_at);
CREATE INDEX helpdesk_outage_updates_by_author ON helpdesk_outage_updates (author_id) WHERE author_id <> '';

-- Which tickets an update has reached, and how they stood before.
CREATE TABLE helpdesk_outage_answered (
    update_id TEXT NOT NULL REFERENCES helpdesk_outage_updates (id) ON DELETE CASCADE,
    ticket_id TEXT NOT NULL REFERENCES helpdesk_tickets (id) ON DELETE CASCADE,
    was       TEXT COLLATE "C" NOT NULL, -- state of the ticket; empty once that was taken back
    PRIMARY KEY (update_id, ticket_id)
);
CREATE INDEX helpdesk_outage_answered_by_ticket ON helpdesk_outage_answered (ticket_id);

-- Who wants to be told how it goes on: somebody with an account, or an address that they proved.
CREATE TABLE helpdesk_outage_subscribers (
    id          TEXT   NOT NULL PRIMARY KEY,
    outage_id   TEXT   NOT NULL REFERENCES helpdesk_outages (id) ON DELETE CASCADE,
    person_id   TEXT   NOT NULL,
    mail        TEXT COLLATE "C" NOT NULL,
    locale      TEXT COLLATE "C" NOT NULL,
    since_at    BIGINT NOT NULL,
    told_update TEXT COLLATE "C" NOT NULL, -- the last update that they were told
    UNIQUE (outage_id, person_id, mail)
);
CREATE INDEX helpdesk_outage_subscribers_by_person ON helpdesk_outage_subscribers (person_id) WHERE person_id <> '';
CREATE INDEX helpdesk_outage_subscribers_by_mail ON helpdesk_outage_subscribers (mail) WHERE mail <> '';

-- +goose Down
DROP TABLE helpdesk_outage_subscribers;
DROP TABLE helpdesk_outage_answered;
DROP TABLE helpdesk_outage_updates;
DROP TABLE helpdesk_outage_counts;
DROP TABLE helpdesk_outage_keys;
DROP TABLE helpdesk_outages;
