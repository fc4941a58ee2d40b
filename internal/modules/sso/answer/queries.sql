-- name: HoldSession :one
-- Takes the session's row, and says whether it has ended.
INSERT INTO sso_sessions (id, ended_at, seen_at) VALUES ($1, 0, $2)
ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at
RETURNING ended_at;

-- name: EndSession :exec
INSERT INTO sso_sessions (id, ended_at, seen_at) VALUES ($1, $2, $2)
ON CONFLICT (id) DO UPDATE SET ended_at = excluded.ended_at, seen_at = excluded.seen_at;

-- name: PruneSessions :execrows
DELETE FROM sso_sessions WHERE id IN (SELECT s.id FROM sso_sessions s WHERE s.seen_at < $1 LIMIT $2);

-- name: InsertAnswer :exec
INSERT INTO sso_answers (id, protocol, state, service_id, address, address_key, session_id, person, login, signed_in_at, fresh, handle, detail, issued_at, expires_at, used_at, peer)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17);

-- name: Answer :one
SELECT * FROM sso_answers WHERE id = $1;

-- name: SpendAnswer :execrows
-- The one place where an answer is spent: of many who try at once, one row count is 1.
UPDATE sso_answers SET state = $2, handle = $3, used_at = $4, peer = $5
WHERE id = $1 AND state = 'issued' AND used_at = 0 AND expires_at > $4;

-- name: RecentAnswers :one
-- How often one session was sent to one address lately, and what became of it.
SELECT COUNT(*) AS issued,
	CAST(COALESCE(SUM(CASE WHEN state = 'refused' THEN 1 ELSE 0 END), 0) AS BIGINT) AS refused,
	CAST(COALESCE(SUM(CASE WHEN used_at <> 0 THEN 1 ELSE 0 END), 0) AS BIGINT) AS checked,
	CAST(COALESCE(SUM(CASE WHEN used_at = 0 AND issued_at < sqlc.arg(patience) THEN 1 ELSE 0 END), 0) AS BIGINT) AS ignored
FROM sso_answers WHERE session_id = sqlc.arg(session_id) AND address_key = sqlc.arg(address_key) AND issued_at > sqlc.arg(since);

-- name: SessionServices :many
SELECT DISTINCT service_id FROM sso_answers WHERE session_id = $1 AND state = 'redeemed' ORDER BY service_id;

-- name: OpenLogouts :many
-- A redeemed answer becomes a message to its service. A client of OpenID Connect
-- knows the session by one name, however often it came: it is told once.
INSERT INTO sso_logouts (id, protocol, state, service_id, address, handle, detail, session_id, person, created_at)
SELECT a.id, a.protocol, 'waiting', a.service_id, a.address, a.handle, a.detail, a.session_id, a.person, CAST(sqlc.arg(now) AS BIGINT)
FROM sso_answers a WHERE a.session_id = sqlc.arg(session_id) AND a.state = 'redeemed' AND NOT EXISTS (
	SELECT 1 FROM sso_answers b WHERE a.protocol = 'oidc' AND b.session_id = a.session_id AND b.service_id = a.service_id
		AND b.handle = a.handle AND b.state = 'redeemed' AND b.id > a.id)
ON CONFLICT (id) DO NOTHING
RETURNING id, service_id;

-- name: EndAnswers :exec
UPDATE sso_answers SET state = 'ended' WHERE session_id = $1 AND state IN ('issued', 'redeemed');

-- name: Logout :one
SELECT * FROM sso_logouts WHERE id = $1;

-- name: NoteLogout :exec
-- What a service said by a browser stays, whoever finds meanwhile that there is no other way to tell it.
UPDATE sso_logouts SET state = $2, attempts = $3, answer = $4, finished_at = $5 WHERE id = $1 AND (state = 'waiting' OR $2 <> 'skipped');

-- name: SessionLogouts :many
SELECT * FROM sso_logouts WHERE session_id = $1 ORDER BY service_id, id;

-- name: ServiceLogouts :many
SELECT * FROM sso_logouts WHERE service_id = $1 ORDER BY created_at DESC, id LIMIT $2;

-- name: FailedLogouts :one
SELECT COUNT(*) FROM sso_logouts WHERE state = 'failed' AND created_at > $1;

-- name: PersonAnswers :many
SELECT protocol, service_id, address, state, issued_at, used_at FROM sso_answers WHERE person = $1 ORDER BY issued_at, id;

-- name: PersonLogouts :many
SELECT service_id, state, answer, created_at, finished_at FROM sso_logouts WHERE person = $1 ORDER BY created_at, id;

-- name: PruneAnswers :execrows
-- Answers that opened no session go first; the record of a session stays as long as history is kept.
DELETE FROM sso_answers WHERE id IN (
	SELECT a.id FROM sso_answers a
	WHERE a.issued_at < sqlc.arg(unused_before) AND a.state IN ('issued', 'refused')
		OR a.issued_at < sqlc.arg(ended_before) AND a.state = 'ended'
		OR a.issued_at < sqlc.arg(lost_before)
	LIMIT sqlc.arg(most));

-- name: PruneLogouts :execrows
DELETE FROM sso_logouts WHERE id IN (SELECT l.id FROM sso_logouts l WHERE l.created_at < $1 LIMIT $2);

-- name: ServiceHealth :one
-- Both sides of a service lately: what we gave, and what it did with it.
SELECT COUNT(*) AS issued,
	CAST(COALESCE(SUM(CASE WHEN used_at <> 0 AND state <> 'refused' THEN 1 ELSE 0 END), 0) AS BIGINT) AS redeemed,
	CAST(COALESCE(SUM(CASE WHEN state = 'refused' THEN 1 ELSE 0 END), 0) AS BIGINT) AS refused,
	CAST(COALESCE(SUM(CASE WHEN used_at = 0 AND issued_at < sqlc.arg(patience) THEN 1 ELSE 0 END), 0) AS BIGINT) AS ignored,
	CAST(COALESCE(MAX(CASE WHEN state <> 'refused' THEN used_at ELSE 0 END), 0) AS BIGINT) AS last_used
FROM sso_answers WHERE service_id = sqlc.arg(service_id) AND issued_at > sqlc.arg(since);

-- name: WalkedAnswers :many
-- What one session got for one service since a moment.
SELECT * FROM sso_answers WHERE session_id = $1 AND service_id = $2 AND issued_at >= $3 ORDER BY issued_at, id LIMIT 20;
