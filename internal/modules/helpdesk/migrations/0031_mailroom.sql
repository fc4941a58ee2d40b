-- +goose Up
-- What tells two deliveries of one mail apart from two mails, and why a mail that
-- waits could not be read yet.
ALTER TABLE helpdesk_mails ADD COLUMN message_id TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE helpdesk_mails ADD COLUMN problem TEXT COLLATE "C" NOT NULL DEFAULT ''; -- reason code
CREATE INDEX helpdesk_mails_by_message ON helpdesk_mails (message_id, from_mail) WHERE message_id <> '';
CREATE INDEX helpdesk_mails_by_envelope ON helpdesk_mails (envelope_from);

-- +goose Down
DROP INDEX helpdesk_mails_by_envelope;
DROP INDEX helpdesk_mails_by_message;
ALTER TABLE helpdesk_mails DROP COLUMN problem;
ALTER TABLE helpdesk_mails DROP COLUMN message_id;
