-- name: Ask :execrows
INSERT INTO directory_corrections (id, person_id, asked_by, field, shown, wanted, reviewer, state, asked_at)
SELECT CAST(sqlc.arg(id) AS TEXT), CAST(sqlc.arg(person_id) AS TEXT), CAST(sqlc.arg(asked_by) AS TEXT), CAST(sqlc.arg(field) AS TEXT), CAST(sqlc.arg(shown) AS TEXT),
	CAST(sqlc.arg(wanted) AS TEXT), CAST(sqlc.arg(reviewer) AS TEXT), 'open', CAST(sqlc.arg(asked_at) AS BIGINT)
WHERE (SELECT COUNT(*) FROM directory_corrections c WHERE c.asked_by = sqlc.arg(asked_by) AND c.state = 'open') < CAST(sqlc.arg(most) AS BIGINT);

-- name: Correction :one
SELECT id, person_id, asked_by, field, shown, wanted, reviewer, state, answer, answered_by, asked_at, answered_at, waits_for, held, written FROM directory_corrections WHERE id = sqlc.arg(id);

-- name: OpenCorrections :many
SELECT id, person_id, asked_by, field, shown, wanted, reviewer, state, answer, answered_by, asked_at, answered_at, waits_for, held, written FROM directory_corrections
WHERE state IN ('open', 'waiting') ORDER BY asked_at, id LIMIT 1000;

-- name: WaitingCorrections :many
SELECT id, person_id, asked_by, field, shown, wanted, reviewer, state, answer, answered_by, asked_at, answered_at, waits_for, held, written FROM directory_corrections
WHERE state = 'waiting' ORDER BY asked_at, id LIMIT 1000;

-- name: RequestsOf :many
SELECT id, person_id, asked_by, field, shown, wanted, reviewer, state, answer, answered_by, asked_at, answered_at, waits_for, held, written FROM directory_corrections
WHERE asked_by = sqlc.arg(asked_by) ORDER BY asked_at DESC, id DESC LIMIT 100;

-- name: AboutPerson :many
SELECT id, person_id, asked_by, field, shown, wanted, reviewer, state, answer, answered_by, asked_at, answered_at, waits_for, held, written FROM directory_corrections
WHERE person_id = sqlc.arg(person_id) ORDER BY asked_at DESC, id DESC LIMIT 1000;

-- name: Settle :execrows
UPDATE directory_corrections SET state = sqlc.arg(state), answer = sqlc.arg(answer), answered_by = sqlc.arg(answered_by), answered_at = sqlc.arg(answered_at),
	waits_for = sqlc.arg(waits_for), held = sqlc.arg(held), written = sqlc.arg(written)
WHERE id = sqlc.arg(id) AND state = sqlc.arg(before);

-- name: Forget :execrows
DELETE FROM directory_corrections WHERE state <> 'waiting' AND answered_at > 0 AND answered_at < sqlc.arg(before_at);
