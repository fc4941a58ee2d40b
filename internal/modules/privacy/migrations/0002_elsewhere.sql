-- +goose Up
-- What programs outside the house were asked to remove by erasures whose own rows
-- are gone. Nothing in it names anybody.
CREATE TABLE privacy_elsewhere (
    erasure_id TEXT   NOT NULL REFERENCES privacy_erasures (id) ON DELETE CASCADE,
    room       TEXT   NOT NULL,
    program    TEXT   NOT NULL,
    title      TEXT   NOT NULL, -- of the program
    state      TEXT   NOT NULL, -- asked, removed, absent, by_hand
    reason     TEXT   NOT NULL, -- code of what stands in the way
    since_at   BIGINT NOT NULL,
    PRIMARY KEY (erasure_id, room, program)
);
CREATE INDEX privacy_elsewhere_open ON privacy_elsewhere (since_at) WHERE state = 'asked';

-- +goose Down
DROP TABLE privacy_elsewhere;
