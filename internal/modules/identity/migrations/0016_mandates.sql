-- +goose Up
-- What people may do beyond what their affiliation gives: everywhere, or for
-- those of a campus, a programme or a unit. An empty part does not narrow it.
CREATE TABLE identity_mandates (
    person_id  TEXT   NOT NULL REFERENCES identity_people (id) ON DELETE CASCADE,
    right_name TEXT   NOT NULL,
    campus     TEXT   NOT NULL,
    programme  TEXT   NOT NULL,
    unit       TEXT   NOT NULL,
    granted_at BIGINT NOT NULL,
    granted_by TEXT   NOT NULL,
    PRIMARY KEY (person_id, right_name, campus, programme, unit)
);
CREATE INDEX identity_mandates_by_right ON identity_mandates (right_name, person_id);
INSERT INTO identity_mandates (person_id, right_name, campus, programme, unit, granted_at, granted_by)
SELECT person_id, right_name, '', '', '', granted_at, granted_by FROM identity_rights;
DROP TABLE identity_rights;

-- +goose Down
CREATE TABLE identity_rights (
    person_id  TEXT   NOT NULL REFERENCES identity_people (id) ON DELETE CASCADE,
    right_name TEXT   NOT NULL,
    granted_at BIGINT NOT NULL,
    granted_by TEXT   NOT NULL,
    PRIMARY KEY (person_id, right_name)
);
INSERT INTO identity_rights (person_id, right_name, granted_at, granted_by)
SELECT person_id, right_name, granted_at, granted_by FROM identity_mandates WHERE campus = '' AND programme = '' AND unit = '';
DROP TABLE identity_mandates;
