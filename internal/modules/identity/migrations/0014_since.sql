-- When the first proof of a sign-in was given, if that was before it came to us:
-- an upstream may vouch for somebody by a session of its own. 0 for now.
ALTER TABLE identity_attempts ADD COLUMN since_at BIGINT NOT NULL DEFAULT 0;
