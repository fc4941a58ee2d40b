-- Proxy-granting tickets of CAS: what lets one service open another on behalf of
-- somebody, as long as their session lasts.
CREATE TABLE sso_proxy_grants (
	id           TEXT COLLATE "C" PRIMARY KEY, -- the hash of the ticket
	service_id   TEXT COLLATE "C" NOT NULL, -- that holds it
	-- The callbacks it went through as a JSON list, that of its holder first.
	chain        TEXT NOT NULL,
	session_id   TEXT COLLATE "C" NOT NULL,
	person       TEXT COLLATE "C" NOT NULL,
	login        TEXT NOT NULL,
	signed_in_at BIGINT NOT NULL,
	issued_at    BIGINT NOT NULL
);
CREATE INDEX sso_proxy_grants_session ON sso_proxy_grants (session_id);
CREATE INDEX sso_proxy_grants_issued ON sso_proxy_grants (issued_at);
