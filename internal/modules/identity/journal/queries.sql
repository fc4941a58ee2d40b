-- name: TakeNumber :one
-- The row lock that this takes on PostgreSQL makes writers follow one another.
UPDATE identity_journal_head SET seq = seq + 1 WHERE id = 1
RETURNING seq, hash, start_seq, start_hash;

-- name: SetHead :execrows
UPDATE identity_journal_head SET hash = $2, mac = $3 WHERE id = 1 AND seq = $1;

-- name: Add :exec
INSERT INTO identity_journal (seq, at, person_id, actor_id, kind, address, agent, facts, previous, hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: Head :one
SELECT * FROM identity_journal_head WHERE id = 1;

-- name: LockHead :one
-- Keeps writers out until the transaction ends.
UPDATE identity_journal_head SET id = id WHERE id = 1
RETURNING *;

-- name: After :many
SELECT * FROM identity_journal WHERE seq > $1 ORDER BY seq LIMIT $2;

-- name: BySeq :one
SELECT * FROM identity_journal WHERE seq = $1;

-- name: OfPerson :many
SELECT * FROM identity_journal WHERE person_id = $1 ORDER BY seq DESC LIMIT $2;

-- name: SetStart :exec
UPDATE identity_journal_head SET start_seq = $1, start_hash = $2, mac = $3 WHERE id = 1;

-- name: Forget :execrows
DELETE FROM identity_journal WHERE seq <= $1;

-- name: Verified :exec
UPDATE identity_journal_head SET verified_at = $1, verified_to = $2, broken_seq = $3, broken_how = $4 WHERE id = 1;

-- name: AllOfPerson :many
SELECT * FROM identity_journal WHERE person_id = $1 ORDER BY seq;

-- name: DoneToOthers :many
SELECT at, kind, address, agent FROM identity_journal WHERE actor_id = $1 AND person_id <> $1 ORDER BY seq;
