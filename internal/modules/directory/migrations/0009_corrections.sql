-- +goose Up
-- "This is wrong": asked by anybody who sees an entry, answered by the head of the
-- unit or the secretariat.
CREATE TABLE directory_corrections (
	id          TEXT COLLATE "C" PRIMARY KEY,
	person_id   TEXT COLLATE "C" NOT NULL, -- whose entry
	asked_by    TEXT COLLATE "C" NOT NULL,
	field       TEXT COLLATE "C" NOT NULL,
	shown       TEXT NOT NULL, -- what the entry said
	wanted      TEXT NOT NULL,
	reviewer    TEXT COLLATE "C" NOT NULL DEFAULT '', -- head of the unit; empty: the secretariat
	state       TEXT COLLATE "C" NOT NULL, -- open, accepted or refused
	answer      TEXT NOT NULL DEFAULT '',
	answered_by TEXT COLLATE "C" NOT NULL DEFAULT '',
	asked_at    BIGINT NOT NULL,
	answered_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX directory_corrections_state ON directory_corrections (state, asked_at);
CREATE INDEX directory_corrections_asker ON directory_corrections (asked_by, asked_at);
CREATE INDEX directory_corrections_person ON directory_corrections (person_id, asked_at);
