-- +goose Up
-- The files of a form that came back with a mistake wait for the next try of the same
-- person, who sees them by name. Their page knows them by a token, of which this is the
-- hash; it is empty for files that are on their way into a message.
ALTER TABLE helpdesk_uploads ADD COLUMN tray_hash TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE helpdesk_uploads ADD COLUMN owner_id TEXT COLLATE "C" NOT NULL DEFAULT ''; -- empty for strangers
ALTER TABLE helpdesk_uploads ADD COLUMN position BIGINT NOT NULL DEFAULT 0;
ALTER TABLE helpdesk_uploads ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE helpdesk_uploads ADD COLUMN media_type TEXT NOT NULL DEFAULT '';
ALTER TABLE helpdesk_uploads ADD COLUMN size BIGINT NOT NULL DEFAULT 0; -- bytes
CREATE INDEX helpdesk_uploads_by_tray ON helpdesk_uploads (tray_hash) WHERE tray_hash <> '';
CREATE INDEX helpdesk_uploads_by_owner ON helpdesk_uploads (owner_id) WHERE owner_id <> '';

-- +goose Down
DROP INDEX helpdesk_uploads_by_owner;
DROP INDEX helpdesk_uploads_by_tray;
ALTER TABLE helpdesk_uploads DROP COLUMN size;
ALTER TABLE helpdesk_uploads DROP COLUMN media_type;
ALTER TABLE helpdesk_uploads DROP COLUMN name;
ALTER TABLE helpdesk_uploads DROP COLUMN position;
ALTER TABLE helpdesk_uploads DROP COLUMN owner_id;
ALTER TABLE helpdesk_uploads DROP COLUMN tray_hash;
