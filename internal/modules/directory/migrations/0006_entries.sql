-- +goose Up
-- What the directory shows about somebody beyond the register of people: what the
-- sources say, and apart from it what the person chose.
CREATE TABLE directory_entries (
	person_id   TEXT COLLATE "C" PRIMARY KEY,
	-- The red list: nobody finds this person.
	unlisted    BOOLEAN NOT NULL DEFAULT FALSE,
	phones      TEXT NOT NULL DEFAULT '',  -- JSON
	office      TEXT NOT NULL DEFAULT '',
	building    TEXT NOT NULL DEFAULT '',
	campus      TEXT COLLATE "C" NOT NULL DEFAULT '',
	hours       TEXT NOT NULL DEFAULT '',
	functions   TEXT NOT NULL DEFAULT '',  -- JSON
	replaced_by TEXT COLLATE "C" NOT NULL DEFAULT '',
	manager     TEXT COLLATE "C" NOT NULL DEFAULT '',
	photo       TEXT COLLATE "C" NOT NULL DEFAULT '', -- shown only with a consent
	source      TEXT COLLATE "C" NOT NULL,
	changed_at  BIGINT NOT NULL
);
CREATE INDEX directory_entries_manager ON directory_entries (manager) WHERE manager <> '';
CREATE INDEX directory_entries_replaced ON directory_entries (replaced_by) WHERE replaced_by <> '';

CREATE TABLE directory_choices (
	person_id  TEXT COLLATE "C" PRIMARY KEY,
	audiences  TEXT NOT NULL DEFAULT '', -- JSON: field to audience
	hours      TEXT NOT NULL DEFAULT '',
	photo      TEXT COLLATE "C" NOT NULL DEFAULT '', -- uploaded by the person
	consent_at BIGINT NOT NULL DEFAULT 0,            -- to a photo being shown; 0: none
	changed_at BIGINT NOT NULL
);

-- Who changed when: each server keeps the search in memory and reads again those
-- that changed since it looked. A subject is a person, or a word for the rest.
CREATE TABLE directory_stamps (
	subject    TEXT COLLATE "C" PRIMARY KEY,
	changed_at BIGINT NOT NULL
);
CREATE INDEX directory_stamps_changed ON directory_stamps (changed_at);
