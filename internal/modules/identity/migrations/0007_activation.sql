-- +goose Up
-- One row for each time that somebody begins to activate an account on a device.
-- The browser keeps the token; the link goes on elsewhere, once.
CREATE TABLE identity_activations (
    id            TEXT   NOT NULL PRIMARY KEY,
    token_hash    TEXT COLLATE "C" NOT NULL UNIQUE,
    person_id     TEXT   NOT NULL REFERENCES identity_people (id) ON DELETE CASCADE,
    invitation_id TEXT   NOT NULL,
    point_id      TEXT   NOT NULL,
    started_at    BIGINT NOT NULL,
    sent_at       BIGINT NOT NULL,
    proved_at     BIGINT NOT NULL,
    finished_at   BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    address       TEXT   NOT NULL
);
CREATE INDEX identity_activations_by_person ON identity_activations (person_id);
CREATE INDEX identity_activations_by_end ON identity_activations (expires_at);

-- A link that goes on with an activation on another device. It works once.
CREATE TABLE identity_activation_links (
    id            TEXT   NOT NULL PRIMARY KEY,
    token_hash    TEXT COLLATE "C" NOT NULL UNIQUE,
    activation_id TEXT   NOT NULL REFERENCES identity_activations (id) ON DELETE CASCADE,
    sent_at       BIGINT NOT NULL,
    used_at       BIGINT NOT NULL
);
CREATE INDEX identity_activation_links_by_activation ON identity_activation_links (activation_id);

-- Letters that invite staff and guests. Sending one again makes a new token and
-- a new code; those of the letter before are then worth nothing.
CREATE TABLE identity_invitations (
    id           TEXT    NOT NULL PRIMARY KEY,
    person_id    TEXT    NOT NULL REFERENCES identity_people (id) ON DELETE CASCADE,
    token_hash   TEXT COLLATE "C" NOT NULL UNIQUE,
    code_hash    TEXT COLLATE "C" NOT NULL UNIQUE,
    sent_to      TEXT    NOT NULL,
    invited_by   TEXT    NOT NULL,
    created_at   BIGINT  NOT NULL,
    sent_at      BIGINT  NOT NULL,
    letters      INTEGER NOT NULL,
    opened_at    BIGINT  NOT NULL,
    used_at      BIGINT  NOT NULL,
    withdrawn_at BIGINT  NOT NULL,
    expires_at   BIGINT  NOT NULL
);
CREATE INDEX identity_invitations_by_person ON identity_invitations (person_id);
CREATE INDEX identity_invitations_by_creation ON identity_invitations (created_at, id);

-- +goose Down
DROP TABLE identity_invitations;
DROP TABLE identity_activation_links;
DROP TABLE identity_activations;
