-- Sessions that services got answers for, and when they ended; 0 while they are
-- open. Who issues an answer and who ends the session write the same row, so that
-- one waits for the other, and no answer is made that nobody takes back.
CREATE TABLE sso_sessions (
	id       TEXT COLLATE "C" PRIMARY KEY,
	ended_at BIGINT NOT NULL DEFAULT 0,
	seen_at  BIGINT NOT NULL
);
CREATE INDEX sso_sessions_seen ON sso_sessions (seen_at);
