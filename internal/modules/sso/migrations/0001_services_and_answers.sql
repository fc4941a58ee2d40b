-- The registry of services that administrators and imports keep. Those of the
-- configuration are not here. The entry is JSON: it is read whole, and searched
-- in memory.
CREATE TABLE sso_services (
	id         TEXT COLLATE "C" PRIMARY KEY,
	document   TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	updated_by TEXT COLLATE "C" NOT NULL
);

-- One row that counts the changes of the registry: each server keeps an index in
-- memory and makes a new one when this number moves.
CREATE TABLE sso_registry (
	name    TEXT COLLATE "C" PRIMARY KEY,
	version BIGINT NOT NULL
);
INSERT INTO sso_registry (name, version) VALUES ('services', 1);

-- What we gave services about sessions (tickets, assertions, codes), and what
-- became of it: issued, then redeemed (the person has a session at the service),
-- refused, or ended with the session here.
CREATE TABLE sso_answers (
	id           TEXT COLLATE "C" PRIMARY KEY, -- the hash of the secret
	protocol     TEXT COLLATE "C" NOT NULL,
	state        TEXT COLLATE "C" NOT NULL,
	service_id   TEXT COLLATE "C" NOT NULL,
	address      TEXT COLLATE "C" NOT NULL,
	-- A short hash of address, for the index that finds loops.
	address_key  TEXT COLLATE "C" NOT NULL,
	session_id   TEXT COLLATE "C" NOT NULL,
	person       TEXT COLLATE "C" NOT NULL,
	login        TEXT NOT NULL,
	signed_in_at BIGINT NOT NULL,
	fresh        BOOLEAN NOT NULL DEFAULT FALSE,
	-- What the service knows its session by, written when it is redeemed (single
	-- logout): a ticket opens nothing from then on.
	handle       TEXT COLLATE "C" NOT NULL DEFAULT '',
	-- What the protocol remembers, as JSON.
	detail       TEXT NOT NULL DEFAULT '',
	issued_at    BIGINT NOT NULL,
	expires_at   BIGINT NOT NULL,
	used_at      BIGINT NOT NULL DEFAULT 0,
	peer         TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX sso_answers_session ON sso_answers (session_id, address_key, issued_at);
CREATE INDEX sso_answers_person ON sso_answers (person, issued_at);
CREATE INDEX sso_answers_issued ON sso_answers (issued_at);
CREATE INDEX sso_answers_service ON sso_answers (service_id, issued_at);
-- One entry of the password makes one fresh answer, also when two tabs race.
CREATE UNIQUE INDEX sso_answers_fresh ON sso_answers (session_id, signed_in_at) WHERE fresh;

-- What each service was told when a session ended, and what it answered.
CREATE TABLE sso_logouts (
	id          TEXT COLLATE "C" PRIMARY KEY, -- that of the answer
	protocol    TEXT COLLATE "C" NOT NULL,
	state       TEXT COLLATE "C" NOT NULL,
	service_id  TEXT COLLATE "C" NOT NULL,
	address     TEXT COLLATE "C" NOT NULL,
	handle      TEXT COLLATE "C" NOT NULL,
	detail      TEXT NOT NULL DEFAULT '',
	session_id  TEXT COLLATE "C" NOT NULL,
	person      TEXT COLLATE "C" NOT NULL,
	attempts    BIGINT NOT NULL DEFAULT 0,
	answer      TEXT NOT NULL DEFAULT '',
	created_at  BIGINT NOT NULL,
	finished_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX sso_logouts_service ON sso_logouts (service_id, created_at);
CREATE INDEX sso_logouts_session ON sso_logouts (session_id);
CREATE INDEX sso_logouts_created ON sso_logouts (created_at);

-- What went wrong between a service and us, one row per service, reason,
-- difference, validator and day, so that a broken service fills no disk.
CREATE TABLE sso_incidents (
	id         TEXT COLLATE "C" PRIMARY KEY,
	repeat_key TEXT COLLATE "C" NOT NULL UNIQUE,
	service_id TEXT COLLATE "C" NOT NULL,
	reason     TEXT COLLATE "C" NOT NULL,
	difference TEXT COLLATE "C" NOT NULL DEFAULT '',
	expected   TEXT NOT NULL DEFAULT '',
	received   TEXT NOT NULL DEFAULT '',
	ticket_age BIGINT NOT NULL DEFAULT 0,
	validator  TEXT COLLATE "C" NOT NULL DEFAULT '',
	times      BIGINT NOT NULL DEFAULT 1,
	first_at   BIGINT NOT NULL,
	last_at    BIGINT NOT NULL
);
CREATE INDEX sso_incidents_service ON sso_incidents (service_id, last_at);
CREATE INDEX sso_incidents_last ON sso_incidents (last_at);

-- The mails that technical contacts have had: one per service, reason and day.
CREATE TABLE sso_contact_mails (
	service_id TEXT COLLATE "C" NOT NULL,
	reason     TEXT COLLATE "C" NOT NULL,
	day        TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (service_id, reason, day)
);
