-- Every message that left or should have left. Who it was for is masked; the text is sealed while it
-- waits and gone once it has left (except in the demo, where it stays to be looked at).
CREATE TABLE mailer_outbox (
    id           TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- UUIDv7, so also the order of time
    channel      TEXT COLLATE "C" NOT NULL CHECK (channel IN ('mail', 'sms')),
    kind         TEXT COLLATE "C" NOT NULL,
    to_masked    TEXT NOT NULL,
    to_key       TEXT COLLATE "C" NOT NULL,             -- recognises a recipient, tells nobody who
    subject      TEXT NOT NULL,
    state        TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'sent', 'kept', 'given_up')),
    attempts     BIGINT NOT NULL,
    reason       TEXT COLLATE "C" NOT NULL,             -- of the last failed attempt
    detail       TEXT NOT NULL,
    provider_ref TEXT NOT NULL,                         -- what the server or gateway calls it
    sealed       TEXT COLLATE "C" NOT NULL,
    created_at   BIGINT NOT NULL,
    changed_at   BIGINT NOT NULL
);

CREATE INDEX mailer_outbox_by_state ON mailer_outbox (state, id);
CREATE INDEX mailer_outbox_by_recipient ON mailer_outbox (to_key, created_at);
CREATE INDEX mailer_outbox_by_age ON mailer_outbox (created_at);
