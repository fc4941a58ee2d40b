-- name: AddCode :execrows
INSERT INTO identity_codes (id, purpose, subject, person_id, mac, tries_left, created_at, expires_at, used_at, superseded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0)
ON CONFLICT (purpose, subject) WHERE superseded_at = 0 DO NOTHING;

-- name: SupersedeCodes :exec
UPDATE identity_codes SET superseded_at = sqlc.arg(now) WHERE purpose = $1 AND subject = $2 AND superseded_at = 0;

-- name: CountIssued :one
SELECT COUNT(*) AS issued, CAST(COALESCE(MIN(created_at), 0) AS BIGINT) AS oldest
FROM identity_codes WHERE purpose = $1 AND subject = $2 AND created_at > sqlc.arg(since);

-- name: CodesOf :many
SELECT id, mac, tries_left, expires_at, used_at, superseded_at
FROM identity_codes
WHERE purpose = $1 AND subject = $2
ORDER BY CASE WHEN superseded_at = 0 THEN 0 ELSE 1 END, created_at DESC, id DESC
LIMIT 20;

-- name: UseCode :execrows
UPDATE identity_codes SET used_at = sqlc.arg(now), tries_left = tries_left - 1
WHERE id = $1 AND used_at = 0 AND superseded_at = 0 AND tries_left > 0 AND expires_at > sqlc.arg(now);

-- name: CountTry :one
UPDATE identity_codes SET tries_left = tries_left - 1
WHERE id = $1 AND used_at = 0 AND superseded_at = 0 AND tries_left > 0
RETURNING tries_left;

-- name: PruneCodes :execrows
DELETE FROM identity_codes WHERE expires_at < $1;
