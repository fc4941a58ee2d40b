-- name: Open :execrows
INSERT INTO identity_attempts (id, code, browser_hash, person_id, typed, started_at, changed_at, outcome, stage, reason, address, user_agent,
    next, service, shared, method, proved_at, factor_method, factor_at, put_off, trust, suspicion, flag, flagged_at, diagnostic)
VALUES ($1, $2, $3, '', '', $4, $4, 'open', $5, '', $6, $7, $8, $9, $10, '', 0, '', 0, FALSE, FALSE, '', '', 0, '')
ON CONFLICT (code) DO NOTHING;

-- name: ByID :one
SELECT * FROM identity_attempts WHERE id = $1;

-- name: ByCode :one
SELECT * FROM identity_attempts WHERE code = $1;

-- name: NewestOfBrowser :one
SELECT * FROM identity_attempts
WHERE browser_hash = $1 AND started_at > $2
ORDER BY started_at DESC, id DESC
LIMIT 1;

-- name: OfPerson :many
SELECT * FROM identity_attempts WHERE person_id = $1 ORDER BY started_at DESC, id DESC LIMIT $2;

-- name: Flagged :many
SELECT * FROM identity_attempts WHERE flagged_at > 0 ORDER BY flagged_at DESC LIMIT $1;

-- name: Steps :many
SELECT * FROM identity_attempt_steps WHERE attempt_id = $1 ORDER BY id LIMIT 200;

-- name: CountSteps :one
SELECT COUNT(*) FROM identity_attempt_steps WHERE attempt_id = $1;

-- name: AddStep :exec
INSERT INTO identity_attempt_steps (id, attempt_id, stage, outcome, method, reason, facts, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: Change :exec
UPDATE identity_attempts
SET changed_at = $2, outcome = CASE WHEN outcome = 'in' THEN outcome ELSE $3 END, stage = $4, reason = $5, person_id = $6, typed = $7, next = $8, service = $9, shared = $10,
    method = $11, proved_at = $12, factor_method = $13, factor_at = $14, put_off = $15, trust = $16, suspicion = $17, since_at = $18, journey = $19
WHERE id = $1;

-- name: Finish :execrows
UPDATE identity_attempts SET outcome = 'in', changed_at = $2, reason = '' WHERE id = $1 AND outcome <> 'in';

-- name: Rebind :exec
UPDATE identity_attempts SET browser_hash = sqlc.arg(browser)
WHERE browser_hash = sqlc.arg(before) OR id = sqlc.arg(id);

-- name: Cut :execrows
UPDATE identity_attempts SET browser_hash = id, method = '', proved_at = 0, factor_method = '', factor_at = 0
WHERE person_id = $1 AND outcome <> 'in' AND proved_at > 0 AND id <> sqlc.arg(but);

-- name: Flag :exec
UPDATE identity_attempts SET flag = $2, flagged_at = $3 WHERE id = $1;

-- name: Unflag :exec
UPDATE identity_attempts SET flagged_at = 0 WHERE id = $1;

-- name: AttachDiagnostic :exec
UPDATE identity_attempts SET diagnostic = $2 WHERE id = $1;

-- name: Forget :execrows
DELETE FROM identity_attempts WHERE started_at < $1;


-- name: AllOfPerson :many
SELECT * FROM identity_attempts WHERE person_id = $1 ORDER BY started_at, id;

-- name: StepsOfPerson :many
SELECT s.*
FROM identity_attempt_steps s
JOIN identity_attempts a ON a.id = s.attempt_id
WHERE a.person_id = $1
ORDER BY s.attempt_id, s.id;
