-- +goose Up
-- The keys by which we sign requests to an upstream and read what it encrypts for
-- us, sealed. number counts those of one upstream: two servers that need the first
-- at the same time make two, and keep one.
CREATE TABLE identity_upstream_keys (
    upstream TEXT COLLATE "C" NOT NULL,
    number   BIGINT NOT NULL,
    sealed   TEXT   NOT NULL,
    made_at  BIGINT NOT NULL,
    PRIMARY KEY (upstream, number)
);

-- +goose Down
DROP TABLE identity_upstream_keys;
