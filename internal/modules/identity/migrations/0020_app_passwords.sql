-- +goose Up
-- Passwords of programs that cannot show a sign-in page. They are random and long,
-- so a plain hash keeps them; purposes are parted by spaces.
CREATE TABLE identity_app_passwords (
    id           TEXT   NOT NULL PRIMARY KEY,
    person_id    TEXT   NOT NULL REFERENCES identity_people (id) ON DELETE CASCADE,
    hash         TEXT COLLATE "C" NOT NULL UNIQUE,
    label        TEXT   NOT NULL,
    purposes     TEXT   NOT NULL,
    made_at      BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    network      TEXT   NOT NULL
);
CREATE INDEX identity_app_passwords_by_person ON identity_app_passwords (person_id, made_at);

-- +goose Down
DROP TABLE identity_app_passwords;
