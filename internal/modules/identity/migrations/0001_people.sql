-- +goose Up
CREATE TABLE identity_people (
    id             TEXT    NOT NULL PRIMARY KEY,
    login          TEXT COLLATE "C" NOT NULL UNIQUE,
    mail           TEXT COLLATE "C" NOT NULL UNIQUE,
    given_name     TEXT    NOT NULL,
    family_name    TEXT    NOT NULL,
    student_number TEXT    NOT NULL,
    job_title      TEXT    NOT NULL,
    folded_name    TEXT COLLATE "C" NOT NULL,
    state          TEXT    NOT NULL CHECK (state IN ('invited', 'active', 'expiring', 'suspended', 'closed')),
    locale         TEXT    NOT NULL,
    appearance     TEXT    NOT NULL,
    created_at     BIGINT  NOT NULL,
    changed_at     BIGINT  NOT NULL
);
CREATE INDEX identity_people_by_name ON identity_people (folded_name, id);

CREATE TABLE identity_affiliations (
    person_id TEXT NOT NULL REFERENCES identity_people (id) ON DELETE CASCADE,
    kind      TEXT NOT NULL CHECK (kind IN ('student', 'teacher', 'staff', 'guest')),
    campus    TEXT NOT NULL,
    programme TEXT NOT NULL,
    unit      TEXT NOT NULL,
    PRIMARY KEY (person_id, kind, campus, programme, unit)
);

CREATE TABLE identity_rights (
    person_id  TEXT   NOT NULL REFERENCES identity_people (id) ON DELETE CASCADE,
    right_name TEXT   NOT NULL,
    granted_at BIGINT NOT NULL,
    granted_by TEXT   NOT NULL,
    PRIMARY KEY (person_id, right_name)
);

CREATE TABLE identity_passwords (
    person_id  TEXT   NOT NULL PRIMARY KEY REFERENCES identity_people (id) ON DELETE CASCADE,
    hash       TEXT   NOT NULL,
    changed_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE identity_passwords;
DROP TABLE identity_rights;
DROP TABLE identity_affiliations;
DROP TABLE identity_people;
