-- The keys that sign what we say, for SAML and for OpenID Connect. The times say
-- what a key does, so that two servers agree without talking: it is published
-- from created_at, signs from signs_at until another of its line does, and stays
-- published until ends_at.
CREATE TABLE sso_keys (
	id          TEXT COLLATE "C" PRIMARY KEY, -- the kid
	purpose     TEXT COLLATE "C" NOT NULL,
	algorithm   TEXT COLLATE "C" NOT NULL,
	serial      BIGINT NOT NULL,
	sealed      TEXT NOT NULL,
	certificate TEXT NOT NULL DEFAULT '',
	created_at  BIGINT NOT NULL,
	signs_at    BIGINT NOT NULL,
	ends_at     BIGINT NOT NULL DEFAULT 0, -- 0: no other follows yet
	-- Two servers that make the next key at once: one wins.
	UNIQUE (purpose, algorithm, serial)
);

-- What a client may do, and for whom: one row per redeemed code, approved device
-- or sign-in of a client by itself. Its tokens die with it.
CREATE TABLE sso_oidc_grants (
	id         TEXT COLLATE "C" PRIMARY KEY,
	-- The answer that the code was, so that its second use ends what the first gave.
	answer_id  TEXT COLLATE "C" NOT NULL DEFAULT '',
	kind       TEXT COLLATE "C" NOT NULL,
	service_id TEXT COLLATE "C" NOT NULL,
	client_id  TEXT COLLATE "C" NOT NULL,
	person     TEXT COLLATE "C" NOT NULL DEFAULT '',
	-- Empty where no session of a browser stands behind it.
	session_id TEXT COLLATE "C" NOT NULL DEFAULT '',
	-- Outlives the session (offline_access).
	offline    BOOLEAN NOT NULL,
	detail     TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	ended_at   BIGINT NOT NULL DEFAULT 0,
	because    TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX sso_oidc_grants_answer ON sso_oidc_grants (answer_id);
CREATE INDEX sso_oidc_grants_session ON sso_oidc_grants (session_id);
CREATE INDEX sso_oidc_grants_person ON sso_oidc_grants (person, created_at);
CREATE INDEX sso_oidc_grants_expires ON sso_oidc_grants (expires_at);

CREATE TABLE sso_oidc_tokens (
	id         TEXT COLLATE "C" PRIMARY KEY, -- the hash of the token
	grant_id   TEXT COLLATE "C" NOT NULL REFERENCES sso_oidc_grants (id) ON DELETE CASCADE,
	kind       TEXT COLLATE "C" NOT NULL, -- access or refresh
	scope      TEXT NOT NULL,
	-- Thumbprint of the key that must be shown with it (DPoP); empty for bearers.
	thumbprint TEXT COLLATE "C" NOT NULL DEFAULT '',
	issued_at  BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	-- A refresh token works once; what comes after is a thief or a victim.
	used_at    BIGINT NOT NULL DEFAULT 0,
	ended_at   BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX sso_oidc_tokens_grant ON sso_oidc_tokens (grant_id);
CREATE INDEX sso_oidc_tokens_expires ON sso_oidc_tokens (expires_at);

-- Devices without a keyboard that wait for somebody to type their code (RFC 8628).
CREATE TABLE sso_oidc_devices (
	id         TEXT COLLATE "C" PRIMARY KEY, -- the hash of the device code
	user_code  TEXT COLLATE "C" NOT NULL UNIQUE, -- the hash of what people type
	state      TEXT COLLATE "C" NOT NULL,
	service_id TEXT COLLATE "C" NOT NULL,
	client_id  TEXT COLLATE "C" NOT NULL,
	scope      TEXT NOT NULL,
	peer       TEXT COLLATE "C" NOT NULL,
	-- Who allowed it, and how they had signed in.
	person     TEXT COLLATE "C" NOT NULL DEFAULT '',
	detail     TEXT NOT NULL DEFAULT '',
	pause      BIGINT NOT NULL, -- seconds between two questions
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	polled_at  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX sso_oidc_devices_expires ON sso_oidc_devices (expires_at);

-- Questions that clients pushed to us before they sent the browser (RFC 9126).
CREATE TABLE sso_oidc_requests (
	id         TEXT COLLATE "C" PRIMARY KEY, -- the hash of the request_uri
	client_id  TEXT COLLATE "C" NOT NULL,
	parameters TEXT NOT NULL,
	expires_at BIGINT NOT NULL,
	-- When a browser first came with it: from then on a person is signing in.
	opened_at  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX sso_oidc_requests_expires ON sso_oidc_requests (expires_at);

-- Proofs and assertions that were shown once (RFC 9449 §11.1, RFC 7523 §3).
CREATE TABLE sso_oidc_seen (
	id         TEXT COLLATE "C" PRIMARY KEY,
	expires_at BIGINT NOT NULL
);
CREATE INDEX sso_oidc_seen_expires ON sso_oidc_seen (expires_at);

-- Clients that registered themselves (RFC 7591), and who may change them.
CREATE TABLE sso_oidc_registrations (
	client_id  TEXT COLLATE "C" PRIMARY KEY,
	service_id TEXT COLLATE "C" NOT NULL UNIQUE,
	token      TEXT COLLATE "C" NOT NULL, -- the hash of the registration access token
	invited_by TEXT COLLATE "C" NOT NULL, -- the hash of the initial access token
	peer       TEXT COLLATE "C" NOT NULL,
	created_at BIGINT NOT NULL
);
