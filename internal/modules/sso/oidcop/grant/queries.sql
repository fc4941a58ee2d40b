-- name: InsertGrant :exec
INSERT INTO sso_oidc_grants (id, answer_id, kind, service_id, client_id, person, session_id, offline, detail, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: InsertToken :exec
INSERT INTO sso_oidc_tokens (id, grant_id, kind, scope, thumbprint, issued_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: Token :one
-- A token with the grant that it came from.
SELECT t.id, t.grant_id, t.kind, t.scope, t.thumbprint, t.issued_at, t.expires_at, t.used_at, t.ended_at AS token_ended_at,
	g.kind AS grant_kind, g.service_id, g.client_id, g.person, g.session_id, g.offline, g.detail, g.created_at, g.expires_at AS grant_expires_at, g.ended_at, g.because
FROM sso_oidc_tokens t JOIN sso_oidc_grants g ON g.id = t.grant_id WHERE t.id = $1;

-- name: UseToken :execrows
-- A refresh token works once: of many who try at once, one row count is 1.
UPDATE sso_oidc_tokens SET used_at = sqlc.arg(now_at)
WHERE sso_oidc_tokens.id = sqlc.arg(id) AND used_at = 0 AND sso_oidc_tokens.ended_at = 0 AND sso_oidc_tokens.expires_at > sqlc.arg(now_at)
	AND grant_id IN (SELECT g.id FROM sso_oidc_grants g WHERE g.ended_at = 0 AND g.expires_at > sqlc.arg(now_at));

-- name: EndToken :exec
UPDATE sso_oidc_tokens SET ended_at = $2 WHERE id = $1 AND ended_at = 0;

-- name: EndGrant :execrows
UPDATE sso_oidc_grants SET ended_at = $2, because = $3 WHERE id = $1 AND ended_at = 0;

-- name: EndGrantsOfAnswer :execrows
UPDATE sso_oidc_grants SET ended_at = $2, because = $3 WHERE answer_id = $1 AND answer_id <> '' AND ended_at = 0;

-- name: EndGrantsOfSession :execrows
-- What was to outlive the session does.
UPDATE sso_oidc_grants SET ended_at = $2, because = $3 WHERE session_id = $1 AND session_id <> '' AND NOT offline AND ended_at = 0;

-- name: EndGrantsOfPerson :execrows
-- At one service, or at all of them where it is empty.
UPDATE sso_oidc_grants SET ended_at = sqlc.arg(now_at), because = sqlc.arg(because)
WHERE person = sqlc.arg(person) AND person <> '' AND (CAST(sqlc.arg(service) AS TEXT) = '' OR service_id = sqlc.arg(service)) AND ended_at = 0;

-- name: EndOtherGrants :exec
-- All of a person's but those of one session.
UPDATE sso_oidc_grants SET ended_at = sqlc.arg(now_at), because = sqlc.arg(because)
WHERE person = sqlc.arg(person) AND person <> '' AND ended_at = 0 AND (session_id = '' OR session_id <> CAST(sqlc.arg(kept) AS TEXT));

-- name: RefuseDevicesOf :exec
UPDATE sso_oidc_devices SET state = 'refused' WHERE person = $1 AND state = 'allowed';

-- name: EndGrantsOfClient :execrows
UPDATE sso_oidc_grants SET ended_at = $2, because = $3 WHERE client_id = $1 AND ended_at = 0;

-- name: GrantsOfPerson :many
SELECT id, kind, service_id, client_id, offline, created_at, expires_at, ended_at, because FROM sso_oidc_grants WHERE person = $1 ORDER BY created_at, id;

-- name: InsertDevice :exec
INSERT INTO sso_oidc_devices (id, user_code, state, service_id, client_id, scope, peer, pause, created_at, expires_at)
VALUES ($1, $2, 'waiting', $3, $4, $5, $6, $7, $8, $9);

-- name: DeviceByUserCode :one
SELECT * FROM sso_oidc_devices WHERE user_code = $1;

-- name: Device :one
SELECT * FROM sso_oidc_devices WHERE id = $1;

-- name: DecideDevice :execrows
UPDATE sso_oidc_devices SET state = sqlc.arg(state), person = sqlc.arg(person), detail = sqlc.arg(detail)
WHERE id = sqlc.arg(id) AND state = 'waiting' AND expires_at > sqlc.arg(now_at);

-- name: PolledDevice :exec
UPDATE sso_oidc_devices SET polled_at = $2, pause = $3 WHERE id = $1;

-- name: SpendDevice :execrows
UPDATE sso_oidc_devices SET state = 'spent' WHERE id = sqlc.arg(id) AND state = 'allowed' AND expires_at > sqlc.arg(now_at);

-- name: InsertRequest :exec
INSERT INTO sso_oidc_requests (id, client_id, parameters, expires_at) VALUES ($1, $2, $3, $4);

-- name: Request :one
SELECT * FROM sso_oidc_requests WHERE id = $1;

-- name: OpenRequest :execrows
-- From its first opening on a person is signing in, which takes longer than a program.
UPDATE sso_oidc_requests SET opened_at = sqlc.arg(now_at), expires_at = sqlc.arg(expires_at)
WHERE id = sqlc.arg(id) AND opened_at = 0 AND expires_at > sqlc.arg(now_at);

-- name: DropRequest :execrows
DELETE FROM sso_oidc_requests WHERE id = $1;

-- name: SeeOnce :execrows
-- Of many who show the same, one is first.
INSERT INTO sso_oidc_seen (id, expires_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING;

-- name: InsertRegistration :exec
INSERT INTO sso_oidc_registrations (client_id, service_id, token, invited_by, peer, created_at) VALUES ($1, $2, $3, $4, $5, $6);

-- name: Registration :one
SELECT * FROM sso_oidc_registrations WHERE client_id = $1;

-- name: CountRegistrations :one
SELECT COUNT(*) FROM sso_oidc_registrations WHERE invited_by = $1;

-- name: DropRegistration :exec
DELETE FROM sso_oidc_registrations WHERE client_id = $1;

-- name: PruneTokens :execrows
DELETE FROM sso_oidc_tokens WHERE id IN (SELECT t.id FROM sso_oidc_tokens t WHERE t.expires_at < $1 LIMIT $2);

-- name: PruneGrants :execrows
DELETE FROM sso_oidc_grants WHERE id IN (SELECT g.id FROM sso_oidc_grants g WHERE g.expires_at < $1 LIMIT $2);

-- name: PruneDevices :execrows
DELETE FROM sso_oidc_devices WHERE id IN (SELECT d.id FROM sso_oidc_devices d WHERE d.expires_at < $1 LIMIT $2);

-- name: PruneRequests :execrows
DELETE FROM sso_oidc_requests WHERE id IN (SELECT q.id FROM sso_oidc_requests q WHERE q.expires_at < $1 LIMIT $2);

-- name: PruneSeen :execrows
DELETE FROM sso_oidc_seen WHERE id IN (SELECT s.id FROM sso_oidc_seen s WHERE s.expires_at < $1 LIMIT $2);
