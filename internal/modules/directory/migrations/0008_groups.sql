-- +goose Up
-- Groups: of a source, by a rule, or kept by hand. The members of a rule are kept
-- as those of the others, so that everything that asks finds them alike.
CREATE TABLE directory_groups (
	code         TEXT COLLATE "C" PRIMARY KEY,
	kind         TEXT COLLATE "C" NOT NULL, -- source, rule or hand
	name_french  TEXT NOT NULL,
	name_english TEXT NOT NULL DEFAULT '',
	about        TEXT NOT NULL DEFAULT '',
	rule         TEXT NOT NULL DEFAULT '', -- JSON
	-- Members see one another's names when it is set; otherwise staff alone do.
	open         BOOLEAN NOT NULL DEFAULT FALSE,
	source       TEXT COLLATE "C" NOT NULL,
	changed_by   TEXT COLLATE "C" NOT NULL DEFAULT '',
	changed_at   BIGINT NOT NULL
);
CREATE TABLE directory_group_people (
	group_code TEXT COLLATE "C" NOT NULL REFERENCES directory_groups (code) ON DELETE CASCADE,
	person_id  TEXT COLLATE "C" NOT NULL,
	added_at   BIGINT NOT NULL,
	PRIMARY KEY (group_code, person_id)
);
CREATE INDEX directory_group_people_person ON directory_group_people (person_id);
CREATE TABLE directory_group_groups (
	group_code  TEXT COLLATE "C" NOT NULL REFERENCES directory_groups (code) ON DELETE CASCADE,
	member_code TEXT COLLATE "C" NOT NULL REFERENCES directory_groups (code) ON DELETE CASCADE,
	PRIMARY KEY (group_code, member_code)
);
CREATE INDEX directory_group_groups_member ON directory_group_groups (member_code);
-- Members that the next run of the rules still has to look at.
CREATE TABLE directory_group_due (
	person_id  TEXT COLLATE "C" PRIMARY KEY,
	changed_at BIGINT NOT NULL
);
