-- name: AddFactor :exec
INSERT INTO identity_factors (id, person_id, kind, label, secret, last_step, late_steps, point, added_at, last_used_at, suspended_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0);

-- name: AddKey :exec
INSERT INTO identity_keys (factor_id, credential_id, record, sign_count, discoverable, backed_up)
VALUES ($1, $2, $3, $4, $5, $6);

-- name: FactorsOf :many
SELECT f.id, f.kind, f.label, f.secret, f.last_step, f.late_steps, f.point, f.added_at, f.last_used_at, f.suspended_at,
       CAST(COALESCE(k.credential_id, '') AS TEXT) AS credential_id, CAST(COALESCE(k.record, '') AS TEXT) AS record,
       CAST(COALESCE(k.discoverable, FALSE) AS BOOLEAN) AS discoverable, CAST(COALESCE(k.backed_up, FALSE) AS BOOLEAN) AS backed_up
FROM identity_factors f
LEFT JOIN identity_keys k ON k.factor_id = f.id
WHERE f.person_id = $1
ORDER BY f.added_at, f.id;

-- name: CountFactors :one
SELECT COUNT(*) FROM identity_factors WHERE person_id = $1;

-- name: Rename :execrows
UPDATE identity_factors SET label = $3 WHERE person_id = $1 AND id = $2;

-- name: Remove :execrows
DELETE FROM identity_factors WHERE person_id = $1 AND id = $2;

-- name: RemoveAll :exec
DELETE FROM identity_factors WHERE person_id = $1;

-- name: UsedAt :exec
UPDATE identity_factors SET last_used_at = $2, point = $3 WHERE id = $1;

-- name: Used :exec
UPDATE identity_factors SET last_used_at = $2 WHERE id = $1;

-- name: TakeStep :execrows
UPDATE identity_factors SET last_step = sqlc.arg(step), late_steps = sqlc.arg(late), last_used_at = sqlc.arg(now_at)
WHERE id = sqlc.arg(id) AND last_step < sqlc.arg(step);

-- name: TakeCount :execrows
UPDATE identity_keys SET record = sqlc.arg(record), sign_count = sqlc.arg(count), backed_up = sqlc.arg(backed_up)
WHERE factor_id = sqlc.arg(id) AND (sign_count < sqlc.arg(count) OR (sign_count = 0 AND sqlc.arg(count) = 0))
  AND EXISTS (SELECT 1 FROM identity_factors f WHERE f.id = sqlc.arg(id) AND f.suspended_at = 0);

-- name: Suspend :execrows
UPDATE identity_factors SET suspended_at = $2 WHERE id = $1 AND suspended_at = 0;

-- name: SpendChallenge :execrows
INSERT INTO identity_spent_challenges (challenge_hash, expires_at) VALUES ($1, $2)
ON CONFLICT (challenge_hash) DO NOTHING;

-- name: ForgetChallenges :exec
DELETE FROM identity_spent_challenges WHERE expires_at < $1;

-- name: EnrolmentOf :one
SELECT id, secret, expires_at FROM identity_app_enrolments WHERE person_id = $1;

-- name: BeginEnrolment :execrows
INSERT INTO identity_app_enrolments (id, person_id, secret, expires_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (person_id) DO UPDATE SET id = excluded.id, secret = excluded.secret, expires_at = excluded.expires_at
WHERE identity_app_enrolments.expires_at <= sqlc.arg(now_at) OR substr(identity_app_enrolments.id, 38) <> CAST(sqlc.arg(place) AS TEXT);

-- name: EndEnrolment :execrows
DELETE FROM identity_app_enrolments WHERE person_id = $1 AND id = $2;

-- name: ForgetEnrolments :exec
DELETE FROM identity_app_enrolments WHERE expires_at < $1;

-- name: CodesOf :many
SELECT id, mac, made_at, used_at FROM identity_recovery_codes WHERE person_id = $1 ORDER BY id;

-- name: AddCode :exec
INSERT INTO identity_recovery_codes (id, person_id, mac, made_at, used_at) VALUES ($1, $2, $3, $4, 0);

-- name: UseCode :execrows
UPDATE identity_recovery_codes SET used_at = $3 WHERE person_id = $1 AND id = $2 AND used_at = 0;

-- name: DropCodes :execrows
DELETE FROM identity_recovery_codes WHERE person_id = $1;

-- name: AddRelay :exec
INSERT INTO identity_relays (id, person_id, given_by, given_at, used_at) VALUES ($1, $2, $3, $4, 0);

-- name: LatestRelay :one
SELECT id, given_by, given_at FROM identity_relays WHERE person_id = $1 ORDER BY given_at DESC, id DESC LIMIT 1;

-- name: UseRelay :exec
UPDATE identity_relays SET used_at = $2 WHERE id = $1;

-- name: BeginTries :exec
INSERT INTO identity_factor_tries (person_id, browser, failures, last_at, next_at) VALUES ($1, $2, 0, 0, 0)
ON CONFLICT (person_id, browser) DO NOTHING;

-- name: TriesOf :one
SELECT failures, last_at, next_at FROM identity_factor_tries WHERE person_id = $1 AND browser = $2;

-- name: OtherBrowsersInTrouble :one
-- Known browsers of somebody, but one, in which the last code was wrong.
SELECT COUNT(*) FROM identity_factor_tries
WHERE person_id = $1 AND browser <> $2 AND browser <> '' AND failures > 0 AND last_at > sqlc.arg(since_at);

-- name: CountTry :execrows
UPDATE identity_factor_tries SET failures = sqlc.arg(failures), last_at = sqlc.arg(now_at), next_at = sqlc.arg(next_at)
WHERE person_id = sqlc.arg(person_id) AND browser = sqlc.arg(browser) AND failures = sqlc.arg(before) AND next_at <= sqlc.arg(now_at);

-- name: ForgiveTries :exec
UPDATE identity_factor_tries SET failures = 0, next_at = 0 WHERE person_id = $1 AND browser = $2;

-- name: DropTries :exec
DELETE FROM identity_factor_tries WHERE person_id = $1;

-- name: TriesForExport :one
SELECT CAST(COALESCE(SUM(failures), 0) AS BIGINT) AS failures, CAST(COALESCE(MAX(last_at), 0) AS BIGINT) AS last_at
FROM identity_factor_tries WHERE person_id = $1;

-- name: ForgetTries :exec
DELETE FROM identity_factor_tries WHERE last_at < sqlc.arg(before_at) AND next_at < sqlc.arg(before_at);

-- name: ForgetRelays :exec
DELETE FROM identity_relays WHERE given_at < $1;

-- name: BeginGrace :exec
INSERT INTO identity_factor_grace (person_id, began_at) VALUES ($1, $2)
ON CONFLICT (person_id) DO NOTHING;

-- name: GraceOf :one
SELECT began_at FROM identity_factor_grace WHERE person_id = $1;

-- name: ForgetGrace :exec
-- A grace has done its work when its person has a factor, or an account that is
-- closed. That of somebody who still has none stays: another would begin.
DELETE FROM identity_factor_grace
WHERE began_at < sqlc.arg(before_at) AND (
    EXISTS (SELECT 1 FROM identity_factors f WHERE f.person_id = identity_factor_grace.person_id)
    OR EXISTS (SELECT 1 FROM identity_people p WHERE p.id = identity_factor_grace.person_id AND p.state = 'closed'));

-- name: PersonOfKey :one
SELECT f.person_id FROM identity_factors f JOIN identity_keys k ON k.factor_id = f.id WHERE k.credential_id = $1;

-- name: RelaysOf :many
SELECT given_at, used_at FROM identity_relays WHERE person_id = $1 ORDER BY given_at, id;
