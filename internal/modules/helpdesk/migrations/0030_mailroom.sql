-- +goose Up
-- Mails that came in, and what became of each.
CREATE TABLE helpdesk_mails (
    id            TEXT   NOT NULL PRIMARY KEY,
    received_at   BIGINT NOT NULL,
    via           TEXT COLLATE "C" NOT NULL CHECK (via IN ('smtp', 'lmtp', 'imap')),
    envelope_from TEXT COLLATE "C" NOT NULL, -- empty for reports of delivery
    envelope_to   TEXT COLLATE "C" NOT NULL,
    same_key      TEXT COLLATE "C" NOT NULL UNIQUE, -- one mail is read once, however often it is handed over
    size          BIGINT NOT NULL,
    file_ref      TEXT COLLATE "C" NOT NULL, -- the mail as it came; empty when it was let go
    state         TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'done', 'failed')),
    outcome       TEXT COLLATE "C" NOT NULL, -- what became of it: key of a sentence
    from_mail     TEXT COLLATE "C" NOT NULL, -- as the mail says
    subject       TEXT   NOT NULL,
    ticket_id     TEXT   NOT NULL,
    read_at       BIGINT NOT NULL
);
CREATE INDEX helpdesk_mails_by_time ON helpdesk_mails (received_at);
CREATE INDEX helpdesk_mails_by_outcome ON helpdesk_mails (outcome, received_at);
CREATE INDEX helpdesk_mails_by_from ON helpdesk_mails (from_mail, read_at);
CREATE INDEX helpdesk_mails_by_ticket ON helpdesk_mails (ticket_id) WHERE ticket_id <> '';

-- When a program of ours answered an address: so that two programs do not answer one
-- another for ever.
CREATE TABLE helpdesk_mail_answers (
    id          TEXT   NOT NULL PRIMARY KEY,
    mail        TEXT COLLATE "C" NOT NULL,
    answered_at BIGINT NOT NULL
);
CREATE INDEX helpdesk_mail_answers_by_mail ON helpdesk_mail_answers (mail, answered_at);
CREATE INDEX helpdesk_mail_answers_by_time ON helpdesk_mail_answers (answered_at);

-- +goose Down
DROP TABLE helpdesk_mail_answers;
DROP TABLE helpdesk_mails;
