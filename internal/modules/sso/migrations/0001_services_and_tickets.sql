-- The registry of services that administrators keep on the page. Those of the
-- configuration are not here.
CREATE TABLE sso_services (
	id               TEXT COLLATE "C" PRIMARY KEY,
	name_fr          TEXT NOT NULL DEFAULT '',
	name_en          TEXT NOT NULL DEFAULT '',
	description_fr   TEXT NOT NULL DEFAULT '',
	description_en   TEXT NOT NULL DEFAULT '',
	category         TEXT NOT NULL DEFAULT '',
	icon             TEXT NOT NULL DEFAULT '',
	logo             TEXT NOT NULL DEFAULT '',
	home             TEXT NOT NULL DEFAULT '',
	contact          TEXT NOT NULL DEFAULT '',
	protocol         TEXT NOT NULL DEFAULT 'cas',
	no_single_logout BOOLEAN NOT NULL DEFAULT FALSE,
	disabled         BOOLEAN NOT NULL DEFAULT FALSE,
	-- Lists and the audience as JSON: they are read whole, never searched in SQL.
	keywords         TEXT NOT NULL DEFAULT '[]',
	patterns         TEXT NOT NULL DEFAULT '[]',
	attributes       TEXT NOT NULL DEFAULT '[]',
	audience         TEXT NOT NULL DEFAULT '{}',
	created_at       BIGINT NOT NULL,
	updated_at       BIGINT NOT NULL,
	updated_by       TEXT COLLATE "C" NOT NULL
);

-- One row that counts the changes of the registry: each server keeps an index in
-- memory and makes a new one when this number moves.
CREATE TABLE sso_registry (
	name    TEXT COLLATE "C" PRIMARY KEY,
	version BIGINT NOT NULL
);
INSERT INTO sso_registry (name, version) VALUES ('services', 1);

-- Tickets, and what became of them: issued, then validated (the person has a
-- session at the service), refused, or ended with the session here.
CREATE TABLE sso_tickets (
	hash         TEXT COLLATE "C" PRIMARY KEY,
	state        TEXT COLLATE "C" NOT NULL,
	-- The ticket itself, written when it is validated: from then on it opens
	-- nothing, and the service knows its session by it (single logout).
	ticket       TEXT COLLATE "C" NOT NULL DEFAULT '',
	service_id   TEXT COLLATE "C" NOT NULL,
	service_url  TEXT COLLATE "C" NOT NULL,
	-- A short hash of service_url, for the index that finds loops.
	url_key      TEXT COLLATE "C" NOT NULL,
	session_id   TEXT COLLATE "C" NOT NULL,
	person       TEXT COLLATE "C" NOT NULL,
	login        TEXT NOT NULL,
	signed_in_at BIGINT NOT NULL,
	fresh        BOOLEAN NOT NULL DEFAULT FALSE,
	issued_at    BIGINT NOT NULL,
	expires_at   BIGINT NOT NULL,
	used_at      BIGINT NOT NULL DEFAULT 0,
	validator    TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX sso_tickets_session ON sso_tickets (session_id, url_key, issued_at);
CREATE INDEX sso_tickets_person ON sso_tickets (person, issued_at);
CREATE INDEX sso_tickets_issued ON sso_tickets (issued_at);
-- One entry of the password makes one fresh ticket, also when two tabs race.
CREATE UNIQUE INDEX sso_tickets_fresh ON sso_tickets (session_id, signed_in_at) WHERE fresh;

-- What each service was told when a session ended, and what it answered.
CREATE TABLE sso_logouts (
	id          TEXT COLLATE "C" PRIMARY KEY, -- the hash of the ticket
	state       TEXT COLLATE "C" NOT NULL,
	service_id  TEXT COLLATE "C" NOT NULL,
	service_url TEXT COLLATE "C" NOT NULL,
	ticket      TEXT COLLATE "C" NOT NULL,
	session_id  TEXT COLLATE "C" NOT NULL,
	person      TEXT COLLATE "C" NOT NULL,
	attempts    BIGINT NOT NULL DEFAULT 0,
	answer      TEXT NOT NULL DEFAULT '',
	created_at  BIGINT NOT NULL,
	finished_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX sso_logouts_service ON sso_logouts (service_id, created_at);
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
