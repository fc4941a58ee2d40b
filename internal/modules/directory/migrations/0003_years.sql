-- +goose Up
-- A change of year: who moves on, who leaves, prepared, looked at, then carried out.
CREATE TABLE directory_years (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL,
    moves       TEXT    NOT NULL, -- programme to programme, in JSON; to nothing for those who leave
    ends_at     BIGINT  NOT NULL, -- until when those who leave are registered
    state       TEXT    NOT NULL CHECK (state IN ('preparing', 'ready', 'applying', 'done', 'undoing', 'undone', 'dropped')),
    promotions  BIGINT  NOT NULL,
    departures  BIGINT  NOT NULL,
    arrivals    BIGINT  NOT NULL,
    done        BIGINT  NOT NULL, -- steps taken of the phase under way
    skipped     BIGINT  NOT NULL,
    made_by     TEXT    NOT NULL,
    made_at     BIGINT  NOT NULL,
    applied_by  TEXT    NOT NULL,
    applied_at  BIGINT  NOT NULL,
    undone_by   TEXT    NOT NULL,
    undone_at   BIGINT  NOT NULL
);
CREATE INDEX directory_years_by_time ON directory_years (made_at);

CREATE TABLE directory_year_people (
    year_id   TEXT COLLATE "C" NOT NULL REFERENCES directory_years (id) ON DELETE CASCADE,
    person_id TEXT COLLATE "C" NOT NULL,
    kind      TEXT   NOT NULL CHECK (kind IN ('promotion', 'departure', 'arrival')),
    state     TEXT   NOT NULL CHECK (state IN ('planned', 'applied', 'skipped', 'undone')),
    name      TEXT   NOT NULL,
    folded    TEXT COLLATE "C" NOT NULL,
    was       TEXT   NOT NULL, -- ties and when they end, in JSON
    becomes   TEXT   NOT NULL,
    PRIMARY KEY (year_id, person_id)
);
CREATE INDEX directory_year_people_by_state ON directory_year_people (year_id, state, person_id);
CREATE INDEX directory_year_people_of_person ON directory_year_people (person_id);

-- +goose Down
DROP TABLE directory_year_people;
DROP TABLE directory_years;
