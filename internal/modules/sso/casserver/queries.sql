-- name: InsertGrant :execrows
-- Only while the session is there: the answer that it goes with ends with it.
INSERT INTO sso_proxy_grants (id, service_id, chain, session_id, person, login, signed_in_at, issued_at)
SELECT CAST(sqlc.arg(id) AS TEXT), a.service_id, CAST(sqlc.arg(chain) AS TEXT), a.session_id, a.person, a.login, a.signed_in_at, CAST(sqlc.arg(now) AS BIGINT)
FROM sso_answers a WHERE a.id = sqlc.arg(answer) AND a.state = 'redeemed';

-- name: Grant :one
SELECT * FROM sso_proxy_grants WHERE id = $1;

-- name: GrantStands :one
SELECT COUNT(*) FROM sso_proxy_grants WHERE id = $1;

-- name: EndGrants :exec
DELETE FROM sso_proxy_grants WHERE session_id = $1;

-- name: PersonGrants :many
SELECT service_id, chain, issued_at FROM sso_proxy_grants WHERE person = $1 ORDER BY issued_at, id;

-- name: PruneGrants :execrows
DELETE FROM sso_proxy_grants WHERE id IN (SELECT g.id FROM sso_proxy_grants g WHERE g.issued_at < $1 LIMIT $2);
