-- +goose Up
-- What a program proves itself with when it pushes into a source.
CREATE TABLE directory_tokens (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    source     TEXT COLLATE "C" NOT NULL,
    label      TEXT   NOT NULL,
    hash       TEXT COLLATE "C" NOT NULL UNIQUE,
    made_by    TEXT   NOT NULL, -- a person, or empty for the command line
    made_at    BIGINT NOT NULL,
    used_at    BIGINT NOT NULL, -- 0 for never; minutes old at most while it is used
    revoked_by TEXT   NOT NULL,
    revoked_at BIGINT NOT NULL  -- 0 while it holds
);

-- What programs pushed, as they sent it, so that they can read it back and change parts.
CREATE TABLE directory_pushed (
    source      TEXT COLLATE "C" NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL CHECK (kind IN ('person', 'group', 'unit')),
    id          TEXT COLLATE "C" NOT NULL, -- the key of the record
    external_id TEXT COLLATE "C" NOT NULL, -- what the program calls it
    name        TEXT COLLATE "C" NOT NULL, -- the user name of a person, in lower case
    body        TEXT   NOT NULL, -- JSON
    person_id   TEXT COLLATE "C" NOT NULL, -- who it turned out to be; empty for groups, and while a question waits
    version     BIGINT NOT NULL,
    made_at     BIGINT NOT NULL,
    changed_at  BIGINT NOT NULL,
    PRIMARY KEY (source, kind, id)
);
CREATE UNIQUE INDEX directory_pushed_names ON directory_pushed (source, kind, name) WHERE name <> '';
CREATE INDEX directory_pushed_by_external ON directory_pushed (source, kind, external_id) WHERE external_id <> '';
CREATE INDEX directory_pushed_of_person ON directory_pushed (person_id) WHERE person_id <> '';

-- +goose Down
DROP TABLE directory_pushed;
DROP TABLE directory_tokens;
