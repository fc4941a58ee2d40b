-- +goose Up
-- Files that were taken in and that a message may still come to name, or that a
-- redaction let go: what nothing names after a day is deleted.
CREATE TABLE helpdesk_uploads (
    file_ref TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    taken_at BIGINT NOT NULL
);
CREATE INDEX helpdesk_uploads_by_time ON helpdesk_uploads (taken_at);
CREATE INDEX helpdesk_attachments_by_file ON helpdesk_attachments (file_ref) WHERE file_ref <> '';

-- +goose Down
DROP INDEX helpdesk_attachments_by_file;
DROP TABLE helpdesk_uploads;
