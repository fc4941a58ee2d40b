-- +goose Up
-- Who strengthens a queue while a term begins. The house adds them to the queue when it begins and takes them out when
-- it ends, unless they were in it already.
CREATE TABLE helpdesk_term_members (
    term_id   TEXT COLLATE "C" NOT NULL,
    queue_id  TEXT NOT NULL REFERENCES helpdesk_queues (id) ON DELETE CASCADE,
    person_id TEXT NOT NULL,
    state     TEXT COLLATE "C" NOT NULL CHECK (state IN ('planned', 'added', 'there', 'over')), -- there: was in it already
    PRIMARY KEY (term_id, queue_id, person_id)
);
CREATE INDEX helpdesk_term_members_by_person ON helpdesk_term_members (person_id);
CREATE INDEX helpdesk_term_members_by_queue ON helpdesk_term_members (queue_id);

-- Whose turn it is in queues that give tickets to their members one after the other.
CREATE TABLE helpdesk_turns (
    queue_id  TEXT   NOT NULL REFERENCES helpdesk_queues (id) ON DELETE CASCADE,
    person_id TEXT   NOT NULL,
    given_at  BIGINT NOT NULL, -- the last ticket; 0 for none yet
    away_at   BIGINT NOT NULL, -- until when no ticket is given; 0 for present
    PRIMARY KEY (queue_id, person_id)
);
CREATE INDEX helpdesk_turns_by_person ON helpdesk_turns (person_id);

-- +goose Down
DROP TABLE helpdesk_turns;
DROP TABLE helpdesk_term_members;
