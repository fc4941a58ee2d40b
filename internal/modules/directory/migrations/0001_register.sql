-- +goose Up
-- What one source says of one person, group or unit, as the mapping reads it.
CREATE TABLE directory_records (
    source          TEXT COLLATE "C" NOT NULL,
    kind            TEXT COLLATE "C" NOT NULL CHECK (kind IN ('person', 'group', 'unit')),
    source_key      TEXT COLLATE "C" NOT NULL,
    person_id       TEXT COLLATE "C" NOT NULL, -- empty for groups and units
    employee_number TEXT COLLATE "C" NOT NULL,
    said            TEXT   NOT NULL, -- values by field, in JSON
    since           TEXT   NOT NULL, -- when values came that are younger than the record: JSON, microseconds by field
    digest          TEXT   NOT NULL,
    place           TEXT   NOT NULL, -- DN or line, for reports
    first_at        BIGINT NOT NULL,
    changed_at      BIGINT NOT NULL,
    gone_at         BIGINT NOT NULL, -- 0 while the source speaks of it
    PRIMARY KEY (source, kind, source_key)
);
CREATE INDEX directory_records_by_person ON directory_records (person_id) WHERE person_id <> '';
CREATE INDEX directory_records_by_number ON directory_records (employee_number) WHERE employee_number <> '';

-- What other records of a source call a record, such as its DN.
CREATE TABLE directory_aliases (
    source     TEXT COLLATE "C" NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    kind       TEXT COLLATE "C" NOT NULL,
    source_key TEXT COLLATE "C" NOT NULL,
    person_id  TEXT COLLATE "C" NOT NULL, -- empty for groups and units
    PRIMARY KEY (source, name)
);
CREATE INDEX directory_aliases_by_person ON directory_aliases (person_id) WHERE person_id <> '';
CREATE INDEX directory_aliases_by_record ON directory_aliases (source, kind, source_key);

CREATE TABLE directory_sources (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    position    TEXT   NOT NULL, -- from where an incremental run goes on
    full_at     BIGINT NOT NULL, -- the last run that saw everything
    asked_at    BIGINT NOT NULL  -- the last run of any kind
);

-- One run at a time writes, whichever source it reads: people are merged over all of them.
CREATE TABLE directory_lease (
    slot     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    token    TEXT   NOT NULL,
    until_at BIGINT NOT NULL
);

CREATE TABLE directory_runs (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    source      TEXT COLLATE "C" NOT NULL,
    mode        TEXT    NOT NULL CHECK (mode IN ('full', 'incremental', 'push')),
    state       TEXT    NOT NULL CHECK (state IN ('reading', 'applying', 'held', 'done', 'dry', 'failed', 'superseded')),
    asked_by    TEXT    NOT NULL, -- a person, or empty for the schedule and the command line
    dry         BOOLEAN NOT NULL,
    complete    BOOLEAN NOT NULL, -- the source handed over everything it has
    position    TEXT    NOT NULL,
    read_count  BIGINT  NOT NULL,
    unchanged   BIGINT  NOT NULL,
    creations   BIGINT  NOT NULL,
    changes     BIGINT  NOT NULL,
    departures  BIGINT  NOT NULL,
    conflicts   BIGINT  NOT NULL,
    refusals    BIGINT  NOT NULL,
    planned     BIGINT  NOT NULL, -- creations, changes and departures
    applied     BIGINT  NOT NULL,
    reason      TEXT    NOT NULL, -- why it is held or failed: a reason code
    args        TEXT    NOT NULL, -- the facts of its sentence, in JSON
    released_by TEXT    NOT NULL,
    started_at  BIGINT  NOT NULL,
    beat_at     BIGINT  NOT NULL,
    ended_at    BIGINT  NOT NULL
);
CREATE INDEX directory_runs_by_source ON directory_runs (source, started_at);
CREATE INDEX directory_runs_by_time ON directory_runs (started_at);

-- The plan of a run, which becomes its report as it is applied.
CREATE TABLE directory_changes (
    run_id     TEXT COLLATE "C" NOT NULL REFERENCES directory_runs (id) ON DELETE CASCADE,
    seq        BIGINT NOT NULL,
    what       TEXT   NOT NULL, -- person, group or unit
    kind       TEXT   NOT NULL CHECK (kind IN ('creation', 'change', 'departure', 'conflict', 'refusal', 'touch')), -- a touch changes no value: a new name at the source
    state      TEXT   NOT NULL CHECK (state IN ('planned', 'applied', 'told')),
    source_key TEXT COLLATE "C" NOT NULL,
    place      TEXT   NOT NULL,
    person_id  TEXT COLLATE "C" NOT NULL,
    name       TEXT   NOT NULL,
    folded     TEXT COLLATE "C" NOT NULL,
    said       TEXT   NOT NULL,
    names      TEXT   NOT NULL, -- aliases, in JSON
    people     TEXT   NOT NULL, -- whom a conflict is about, in JSON
    detail     TEXT   NOT NULL, -- field by field, old and new, in JSON
    reason     TEXT   NOT NULL,
    args       TEXT   NOT NULL,
    PRIMARY KEY (run_id, seq)
);
CREATE INDEX directory_changes_by_kind ON directory_changes (run_id, kind, seq);
CREATE INDEX directory_changes_of_person ON directory_changes (person_id, run_id) WHERE person_id <> '';

-- +goose Down
DROP TABLE directory_changes;
DROP TABLE directory_runs;
DROP TABLE directory_lease;
DROP TABLE directory_sources;
DROP TABLE directory_aliases;
DROP TABLE directory_records;
