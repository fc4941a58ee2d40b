-- +goose Up
-- Wrong codes in a row and from when the next one is looked at, for each browser
-- that its owner uses already and for all others together (browser is then empty):
-- whoever guesses elsewhere does not slow the owner down.
ALTER TABLE identity_factor_tries RENAME TO identity_factor_tries_before;
CREATE TABLE identity_factor_tries (
    person_id TEXT   NOT NULL REFERENCES identity_people (id) ON DELETE CASCADE,
    browser   TEXT   NOT NULL,
    failures  BIGINT NOT NULL,
    last_at   BIGINT NOT NULL,
    next_at   BIGINT NOT NULL,
    PRIMARY KEY (person_id, browser)
);
INSERT INTO identity_factor_tries (person_id, browser, failures, last_at, next_at)
SELECT person_id, '', failures, last_at, next_at FROM identity_factor_tries_before;
DROP TABLE identity_factor_tries_before;

-- What is forgotten is found by its date.
CREATE INDEX identity_factor_tries_by_last ON identity_factor_tries (last_at);
CREATE INDEX identity_relays_by_date ON identity_relays (given_at);

-- +goose Down
DROP INDEX identity_relays_by_date;
ALTER TABLE identity_factor_tries RENAME TO identity_factor_tries_before;
CREATE TABLE identity_factor_tries (
    person_id TEXT   NOT NULL PRIMARY KEY REFERENCES identity_people (id) ON DELETE CASCADE,
    failures  BIGINT NOT NULL,
    last_at   BIGINT NOT NULL,
    next_at   BIGINT NOT NULL
);
INSERT INTO identity_factor_tries (person_id, failures, last_at, next_at)
SELECT person_id, MAX(failures), MAX(last_at), MAX(next_at) FROM identity_factor_tries_before GROUP BY person_id;
DROP TABLE identity_factor_tries_before;
