-- name: KeepRequest :execrows
-- A request that comes again is the one that is kept: a reloaded page, a second tab.
INSERT INTO sso_saml_requests (id, kind, entity_id, document, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO NOTHING;

-- name: Request :one
SELECT * FROM sso_saml_requests WHERE id = $1 AND kind = $2;

-- name: AnswerRequest :execrows
-- One request gets one answer, or more for the same session within a while: the
-- first may have been lost on its way.
UPDATE sso_saml_requests SET answered_to = sqlc.arg(session), answered_at = sqlc.arg(now)
WHERE id = sqlc.arg(id) AND (answered_at = 0 OR answered_to = sqlc.arg(session) AND answered_at > sqlc.arg(since));

-- name: DropRequest :execrows
DELETE FROM sso_saml_requests WHERE id = $1 AND answered_at = 0;

-- name: PruneRequests :execrows
-- Anybody can make us keep a sign-in that is never answered: it goes soon.
DELETE FROM sso_saml_requests WHERE id IN (
	SELECT q.id FROM sso_saml_requests q
	WHERE q.created_at < sqlc.arg(before) OR q.created_at < sqlc.arg(unanswered_before) AND q.answered_at = 0 AND q.kind = 'sign-in'
	LIMIT sqlc.arg(most));

-- name: AddName :execrows
INSERT INTO sso_saml_names (entity_key, person, entity_id, name, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (entity_key, person) DO NOTHING;

-- name: Name :one
SELECT name FROM sso_saml_names WHERE entity_key = $1 AND person = $2;

-- name: PersonNames :many
SELECT entity_id, name, created_at FROM sso_saml_names WHERE person = $1 ORDER BY entity_id;

-- name: NoteSession :exec
INSERT INTO sso_saml_sessions (id, entity_key, name_key, session_id, person, created_at, seen_at) VALUES ($1, $2, $3, $4, $5, $6, $6)
ON CONFLICT (id) DO UPDATE SET name_key = excluded.name_key, seen_at = excluded.seen_at;

-- name: SessionsByIndex :one
SELECT session_id, person, name_key FROM sso_saml_sessions WHERE id = $1;

-- name: SessionsByName :many
SELECT session_id, person, name_key FROM sso_saml_sessions WHERE entity_key = $1 AND name_key = $2 ORDER BY seen_at DESC, id LIMIT 100;

-- name: ForgetSession :exec
DELETE FROM sso_saml_sessions WHERE entity_key = $1 AND session_id = $2;

-- name: PruneSessions :execrows
DELETE FROM sso_saml_sessions WHERE id IN (SELECT s.id FROM sso_saml_sessions s WHERE s.seen_at < $1 LIMIT $2);
