-- Requests of SAML service providers, kept here while the person signs in: no
-- cookie is needed to answer them, and tabs do not overwrite each other. The
-- identifier is made of the message, so one that comes again is known.
CREATE TABLE sso_saml_requests (
	id          TEXT COLLATE "C" PRIMARY KEY,
	kind        TEXT COLLATE "C" NOT NULL, -- sign-in, sign-out
	entity_id   TEXT COLLATE "C" NOT NULL,
	document    TEXT NOT NULL,             -- what the answer needs, as JSON
	-- The session that was answered for, and when; 0 until then.
	answered_to TEXT COLLATE "C" NOT NULL DEFAULT '',
	answered_at BIGINT NOT NULL DEFAULT 0,
	created_at  BIGINT NOT NULL
);
CREATE INDEX sso_saml_requests_created ON sso_saml_requests (created_at);

-- Persistent name identifiers: one person at one service provider. They are made
-- at random and kept, so that no key of ours has to live as long as they do.
CREATE TABLE sso_saml_names (
	entity_key TEXT COLLATE "C" NOT NULL, -- hash of the entityID
	person     TEXT COLLATE "C" NOT NULL,
	entity_id  TEXT COLLATE "C" NOT NULL,
	name       TEXT COLLATE "C" NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (entity_key, person)
);
CREATE UNIQUE INDEX sso_saml_names_name ON sso_saml_names (entity_key, name);
CREATE INDEX sso_saml_names_person ON sso_saml_names (person);

-- Which session of ours stands behind a name at a service provider, for the
-- sign-outs that it asks for.
CREATE TABLE sso_saml_sessions (
	id         TEXT COLLATE "C" PRIMARY KEY, -- hash of entityID and SessionIndex
	entity_key TEXT COLLATE "C" NOT NULL,
	name_key   TEXT COLLATE "C" NOT NULL,    -- hash of the name identifier
	session_id TEXT COLLATE "C" NOT NULL,
	person     TEXT COLLATE "C" NOT NULL,
	created_at BIGINT NOT NULL,
	seen_at    BIGINT NOT NULL
);
CREATE INDEX sso_saml_sessions_name ON sso_saml_sessions (entity_key, name_key);
CREATE INDEX sso_saml_sessions_seen ON sso_saml_sessions (seen_at);

-- Where metadata comes from: a federation's aggregate, a query server, the
-- address of one service provider.
CREATE TABLE sso_saml_sources (
	id             TEXT COLLATE "C" PRIMARY KEY,
	url            TEXT COLLATE "C" NOT NULL,
	etag           TEXT NOT NULL DEFAULT '',
	digest         TEXT COLLATE "C" NOT NULL DEFAULT '', -- SHA-256 of what is in use
	entities       BIGINT NOT NULL DEFAULT 0,
	valid_until_at BIGINT NOT NULL DEFAULT 0,
	checked_at     BIGINT NOT NULL DEFAULT 0, -- we looked
	fetched_at     BIGINT NOT NULL DEFAULT 0, -- what is in use came
	-- Why the last document was not taken; empty when it was. What was in use
	-- before stays.
	problem        TEXT NOT NULL DEFAULT '',
	problem_at     BIGINT NOT NULL DEFAULT 0  -- since when
);

-- Metadata of each service provider by itself: an aggregate of ten thousand is
-- never held in memory, and a sign-in reads one row.
CREATE TABLE sso_saml_entities (
	source         TEXT COLLATE "C" NOT NULL,
	entity_key     TEXT COLLATE "C" NOT NULL, -- hash of the entityID
	entity_id      TEXT COLLATE "C" NOT NULL,
	document       BYTEA NOT NULL,            -- XML, compressed (RFC 1951)
	digest         TEXT COLLATE "C" NOT NULL, -- SHA-256 of the XML
	name           TEXT NOT NULL DEFAULT '',  -- as its metadata calls it, in two languages
	search         TEXT NOT NULL DEFAULT '',  -- the same and the entityID, folded
	certificates   TEXT NOT NULL DEFAULT '',  -- ends of its keys, as JSON
	valid_until_at BIGINT NOT NULL,           -- its own end; 0: that of its source
	read_at        BIGINT NOT NULL,           -- when it came in this form
	PRIMARY KEY (source, entity_key)
);
CREATE INDEX sso_saml_entities_key ON sso_saml_entities (entity_key);
