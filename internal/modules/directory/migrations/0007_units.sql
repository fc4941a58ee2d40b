-- +goose Up
-- The org chart. A function that people ask for ("scholarships", "student union")
-- is a unit with keywords.
CREATE TABLE directory_units (
	code          TEXT COLLATE "C" PRIMARY KEY,
	parent        TEXT COLLATE "C" NOT NULL DEFAULT '',
	kind          TEXT COLLATE "C" NOT NULL,
	name_french   TEXT NOT NULL,
	name_english  TEXT NOT NULL DEFAULT '',
	about_french  TEXT NOT NULL DEFAULT '',
	about_english TEXT NOT NULL DEFAULT '',
	keywords      TEXT NOT NULL DEFAULT '', -- one a line
	head          TEXT COLLATE "C" NOT NULL DEFAULT '',
	phone         TEXT NOT NULL DEFAULT '',
	mail          TEXT NOT NULL DEFAULT '',
	campus        TEXT COLLATE "C" NOT NULL DEFAULT '',
	place         TEXT NOT NULL DEFAULT '',
	hours_french  TEXT NOT NULL DEFAULT '',
	hours_english TEXT NOT NULL DEFAULT '',
	source        TEXT COLLATE "C" NOT NULL,
	changed_at    BIGINT NOT NULL
);
CREATE INDEX directory_units_head ON directory_units (head) WHERE head <> '';
