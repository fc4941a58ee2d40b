-- +goose Up
-- Whether a source brought somebody; what was there before the sources said where from is
-- taken as theirs.
ALTER TABLE directory_records ADD COLUMN brought BOOLEAN NOT NULL DEFAULT TRUE;
-- Ties that were entered by hand before the source spoke of somebody, with their ends: they
-- do not end before. A JSON list, or empty.
ALTER TABLE directory_records ADD COLUMN floor TEXT NOT NULL DEFAULT '';

-- How many ways into an account a source changed, minute by minute.
CREATE TABLE directory_ways_in (
    source    TEXT COLLATE "C" NOT NULL,
    minute_at BIGINT NOT NULL,
    changes   BIGINT NOT NULL,
    PRIMARY KEY (source, minute_at)
);

-- Somebody has let a source change as many as it wants, for a while.
CREATE TABLE directory_grants (
    source     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    granted_by TEXT   NOT NULL, -- a person
    granted_at BIGINT NOT NULL,
    until_at   BIGINT NOT NULL
);

-- +goose Down
DROP TABLE directory_grants;
DROP TABLE directory_ways_in;
ALTER TABLE directory_records DROP COLUMN floor;
ALTER TABLE directory_records DROP COLUMN brought;
