-- +goose Up
-- What those who run the desk say: opening hours, promised times, rules, terms. A setting is a document because it is
-- read whole, kept in memory, and taken back whole.
CREATE TABLE helpdesk_settings (
    kind       TEXT COLLATE "C" NOT NULL, -- calendar, promise, rule, term
    id         TEXT COLLATE "C" NOT NULL,
    position   BIGINT NOT NULL,           -- in the order of its kind
    doc        TEXT   NOT NULL,           -- JSON
    version    BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT   NOT NULL,           -- person; empty for the house
    PRIMARY KEY (kind, id)
);

-- Counts the changes of each kind, so that a server knows whether what it remembers still holds.
CREATE TABLE helpdesk_setting_stamps (
    kind  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    stamp BIGINT NOT NULL
);

-- Every change, with what it takes to undo it.
CREATE TABLE helpdesk_setting_changes (
    id         TEXT   NOT NULL PRIMARY KEY,
    kind       TEXT COLLATE "C" NOT NULL,
    setting_id TEXT COLLATE "C" NOT NULL,
    was        TEXT   NOT NULL, -- JSON; empty when it was new
    becomes    TEXT   NOT NULL, -- JSON; empty when it was removed
    was_position BIGINT NOT NULL,
    version    BIGINT NOT NULL, -- that it made; 0 when it removed the setting
    changed_at BIGINT NOT NULL,
    changed_by TEXT   NOT NULL,
    undone_at  BIGINT NOT NULL
);
CREATE INDEX helpdesk_setting_changes_by_time ON helpdesk_setting_changes (changed_at, id);
CREATE INDEX helpdesk_setting_changes_by_setting ON helpdesk_setting_changes (kind, setting_id, changed_at, id);

-- +goose Down
DROP TABLE helpdesk_setting_changes;
DROP TABLE helpdesk_setting_stamps;
DROP TABLE helpdesk_settings;
