-- +goose Up
-- What a source did of what it may do so much of only, minute by minute.
CREATE TABLE directory_spent (
    source    TEXT COLLATE "C" NOT NULL,
    budget    TEXT COLLATE "C" NOT NULL, -- ways_in, creations
    minute_at BIGINT NOT NULL,
    changes   BIGINT NOT NULL,
    PRIMARY KEY (source, budget, minute_at)
);
INSERT INTO directory_spent (source, budget, minute_at, changes) SELECT source, 'ways_in', minute_at, changes FROM directory_ways_in;
DROP TABLE directory_ways_in;

-- Somebody has lifted a budget of a source, for a while.
CREATE TABLE directory_passes (
    source     TEXT COLLATE "C" NOT NULL,
    budget     TEXT COLLATE "C" NOT NULL,
    granted_by TEXT   NOT NULL, -- a person
    granted_at BIGINT NOT NULL,
    until_at   BIGINT NOT NULL,
    PRIMARY KEY (source, budget)
);
INSERT INTO directory_passes (source, budget, granted_by, granted_at, until_at) SELECT source, 'ways_in', granted_by, granted_at, until_at FROM directory_grants;
DROP TABLE directory_grants;

-- +goose Down
CREATE TABLE directory_ways_in (
    source    TEXT COLLATE "C" NOT NULL,
    minute_at BIGINT NOT NULL,
    changes   BIGINT NOT NULL,
    PRIMARY KEY (source, minute_at)
);
INSERT INTO directory_ways_in (source, minute_at, changes) SELECT source, minute_at, changes FROM directory_spent WHERE budget = 'ways_in';
DROP TABLE directory_spent;
CREATE TABLE directory_grants (
    source     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    granted_by TEXT   NOT NULL,
    granted_at BIGINT NOT NULL,
    until_at   BIGINT NOT NULL
);
INSERT INTO directory_grants (source, granted_by, granted_at, until_at) SELECT source, granted_by, granted_at, until_at FROM directory_passes WHERE budget = 'ways_in';
DROP TABLE directory_passes;
