-- +goose Up
-- How many journeys to each upstream led nowhere, by the hour: the journeys
-- themselves are forgotten soon, because anybody can begin them.
CREATE TABLE identity_upstream_lost (
    upstream TEXT COLLATE "C" NOT NULL,
    hour_at  BIGINT NOT NULL,
    number   BIGINT NOT NULL,
    PRIMARY KEY (upstream, hour_at)
);
CREATE INDEX identity_upstream_transactions_open ON identity_upstream_transactions (started_at) WHERE finished_at = 0;

-- +goose Down
DROP INDEX identity_upstream_transactions_open;
DROP TABLE identity_upstream_lost;
