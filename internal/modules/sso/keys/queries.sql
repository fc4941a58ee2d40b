-- name: Keys :many
SELECT * FROM sso_keys WHERE purpose = $1 ORDER BY algorithm, serial;

-- name: InsertKey :execrows
-- Of two servers that make the same key of a line, one wins.
INSERT INTO sso_keys (id, purpose, algorithm, serial, sealed, certificate, created_at, signs_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (purpose, algorithm, serial) DO NOTHING;

-- name: EndKeys :exec
-- The keys before this one of the line stay published until then.
UPDATE sso_keys SET ends_at = sqlc.arg(until_at)
WHERE purpose = $1 AND algorithm = $2 AND serial < $3 AND (ends_at = 0 OR ends_at > sqlc.arg(until_at));

-- name: SignNow :execrows
UPDATE sso_keys SET signs_at = $2 WHERE id = $1 AND signs_at > $2;

-- name: PruneKeys :execrows
DELETE FROM sso_keys WHERE ends_at <> 0 AND ends_at < $1;
