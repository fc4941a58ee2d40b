-- +goose Up
-- Values that somebody entered here: they hold over what the sources say, until they
-- are taken back.
CREATE TABLE directory_by_hand (
	kind       TEXT COLLATE "C" NOT NULL CHECK (kind IN ('person', 'unit')),
	subject    TEXT COLLATE "C" NOT NULL, -- identifier of a person, code of a unit
	part       TEXT COLLATE "C" NOT NULL, -- office, phone, parent…
	value      TEXT NOT NULL,
	entered_by TEXT COLLATE "C" NOT NULL,
	entered_at BIGINT NOT NULL,
	PRIMARY KEY (kind, subject, part)
);

-- Who changed what and when, so that it can be undone.
CREATE TABLE directory_edits (
	id        TEXT COLLATE "C" PRIMARY KEY,
	kind      TEXT COLLATE "C" NOT NULL,
	subject   TEXT COLLATE "C" NOT NULL,
	part      TEXT COLLATE "C" NOT NULL,
	shown     TEXT NOT NULL,    -- what the directory said before
	had       BOOLEAN NOT NULL, -- there was a value by hand before
	was       TEXT NOT NULL,
	has       BOOLEAN NOT NULL, -- there is one after
	becomes   TEXT NOT NULL,
	cause     TEXT COLLATE "C" NOT NULL, -- the correction that asked for it, or empty
	edited_by TEXT COLLATE "C" NOT NULL,
	edited_at BIGINT NOT NULL,
	undone_by TEXT COLLATE "C" NOT NULL DEFAULT '',
	undone_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX directory_edits_subject ON directory_edits (kind, subject, edited_at);
CREATE INDEX directory_edits_time ON directory_edits (edited_at);
