-- name: AddPoint :exec
INSERT INTO identity_points (id, person_id, channel, value, source, replaces, refusal, created_at, verified_at, usable_at, confirmed_at, refused_at, removed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, 0, 0, 0);

-- name: Begun :one
SELECT state, created_at FROM identity_people WHERE id = $1;

-- name: PointsOf :many
SELECT * FROM identity_points WHERE person_id = $1 ORDER BY created_at, id;

-- name: PointByRefusal :one
SELECT * FROM identity_points WHERE refusal = $1 AND refusal <> '';

-- name: VerifyPoint :execrows
UPDATE identity_points SET verified_at = sqlc.arg(now), usable_at = sqlc.arg(usable_at), confirmed_at = sqlc.arg(now), refusal = sqlc.arg(refusal)
WHERE id = $1 AND (removed_at = 0 OR removed_at > sqlc.arg(now));

-- name: EndPoint :execrows
UPDATE identity_points SET removed_at = sqlc.arg(removed_at) WHERE id = $1;

-- name: RefusePoint :execrows
UPDATE identity_points SET refused_at = sqlc.arg(now), removed_at = sqlc.arg(now)
WHERE id = $1 AND refused_at = 0 AND (removed_at = 0 OR removed_at > sqlc.arg(now));

-- name: ConfirmPoints :execrows
UPDATE identity_points SET confirmed_at = sqlc.arg(now)
WHERE person_id = $1 AND (removed_at = 0 OR removed_at > sqlc.arg(now)) AND usable_at > 0;

-- name: PrunePoints :execrows
DELETE FROM identity_points WHERE removed_at > 0 AND removed_at < $1 AND refused_at = 0;

-- name: PointsByValue :many
SELECT * FROM identity_points WHERE channel = sqlc.arg(channel) AND LOWER(value) = LOWER(sqlc.arg(value)) ORDER BY created_at, id;
