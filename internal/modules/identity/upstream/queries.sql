-- name: AddTransaction :exec
INSERT INTO identity_upstream_transactions (id, upstream, token_hash, browser_hash, purpose, person_id, next, shared, forced, plain, login_hint, secrets,
    answer, resume_hash, logout_hint, started_at, claimed_at, finished_at, told_at, left_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', '', '', $13, 0, 0, 0, 0);

-- name: TransactionByToken :one
SELECT * FROM identity_upstream_transactions WHERE token_hash = $1;

-- name: TransactionByResume :one
SELECT * FROM identity_upstream_transactions WHERE resume_hash = $1 AND resume_hash <> '';

-- name: Claim :execrows
UPDATE identity_upstream_transactions SET claimed_at = $2, secrets = '' WHERE id = $1 AND claimed_at = 0;

-- name: KeepAnswer :exec
UPDATE identity_upstream_transactions SET answer = $2, resume_hash = $3 WHERE id = $1;

-- name: Finish :execrows
UPDATE identity_upstream_transactions SET finished_at = $2, logout_hint = $3, answer = '', resume_hash = '', issuer = $4, subject = $5, session_there = $6
WHERE id = $1 AND finished_at = 0;

-- name: CountRounds :one
SELECT COUNT(*) FROM identity_upstream_transactions
WHERE browser_hash = $1 AND upstream = $2 AND next = $3 AND started_at > $4 AND claimed_at >= sqlc.arg(claimed_from) AND purpose = 'sign_in';

-- name: ForgetRounds :exec
UPDATE identity_upstream_transactions SET browser_hash = '' WHERE browser_hash = $1 AND claimed_at > 0;

-- name: LeftBehind :one
SELECT * FROM identity_upstream_transactions
WHERE browser_hash = $1 AND claimed_at = 0 AND told_at = 0 AND started_at > sqlc.arg(since) AND purpose = 'sign_in'
ORDER BY started_at DESC
LIMIT 1;

-- name: Tell :execrows
UPDATE identity_upstream_transactions SET told_at = $2 WHERE id = $1 AND told_at = 0;

-- name: JourneyOf :one
-- The journey that a session began with, or was last renewed by.
SELECT t.* FROM identity_sessions s
JOIN identity_attempts a ON a.id = s.attempt_id
JOIN identity_upstream_transactions t ON t.id = a.journey
WHERE s.id = $1 AND t.finished_at > 0;

-- name: Part :execrows
-- The browser of a session has signed out of it.
UPDATE identity_upstream_transactions SET left_at = $2, browser_hash = $3 WHERE id = $1 AND left_at = 0;

-- name: ForgetParted :exec
-- Somebody else has sat down at the browser since.
UPDATE identity_upstream_transactions SET left_at = 1, logout_hint = '' WHERE browser_hash = $1 AND left_at > 1;

-- name: Parted :one
SELECT * FROM identity_upstream_transactions WHERE browser_hash = $1 AND left_at > sqlc.arg(since)
ORDER BY left_at DESC, id DESC
LIMIT 1;

-- name: PartThere :execrows
-- Nothing is left to end at the upstream, or somebody is on the way to do it.
UPDATE identity_upstream_transactions SET left_at = 1, logout_hint = '' WHERE id = $1 AND left_at <> 1;

-- name: SeeOnce :execrows
INSERT INTO identity_upstream_seen (id, until_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING;

-- name: ForgetSeen :exec
DELETE FROM identity_upstream_seen WHERE until_at < $1;

-- name: OpenedBy :many
-- The open sessions that came by a session at an upstream, or by all of a person's.
SELECT s.id, s.person_id, t.id AS journey FROM identity_upstream_transactions t
JOIN identity_attempts a ON a.journey = t.id
JOIN identity_sessions s ON s.attempt_id = a.id
WHERE t.upstream = $1 AND t.issuer = $2 AND s.ended_at = 0
  AND (sqlc.arg(session_there) <> '' AND t.session_there = sqlc.arg(session_there) AND (sqlc.arg(subject) = '' OR t.subject = sqlc.arg(subject))
    OR sqlc.arg(session_there) = '' AND sqlc.arg(subject) <> '' AND t.subject = sqlc.arg(subject))
LIMIT 100;

-- name: CutJourneys :exec
-- The same for sign-ins that wait for a second factor: what was proved counts no more.
UPDATE identity_attempts SET browser_hash = id, method = '', proved_at = 0, factor_method = '', factor_at = 0
WHERE outcome <> 'in' AND journey <> '' AND journey IN (
    SELECT t.id FROM identity_upstream_transactions t
    WHERE t.upstream = $1 AND t.issuer = $2
      AND (sqlc.arg(session_there) <> '' AND t.session_there = sqlc.arg(session_there) AND (sqlc.arg(subject) = '' OR t.subject = sqlc.arg(subject))
        OR sqlc.arg(session_there) = '' AND sqlc.arg(subject) <> '' AND t.subject = sqlc.arg(subject)));

-- name: ForgetTransactions :execrows
-- A journey is kept for as long as the session that began with it.
DELETE FROM identity_upstream_transactions WHERE identity_upstream_transactions.started_at < $1 AND NOT EXISTS (
    SELECT 1 FROM identity_attempts a JOIN identity_sessions s ON s.attempt_id = a.id
    WHERE a.journey = identity_upstream_transactions.id AND s.ended_at = 0);

-- name: CountLost :one
-- Those of the last hour are still there, those before are counted.
SELECT CAST((SELECT COUNT(*) FROM identity_upstream_transactions t
        WHERE t.upstream = $1 AND t.claimed_at = 0 AND t.started_at > sqlc.arg(since) AND t.started_at < sqlc.arg(until) AND t.purpose = 'sign_in')
    + (SELECT COALESCE(SUM(l.number), 0) FROM identity_upstream_lost l WHERE l.upstream = $1 AND l.hour_at > sqlc.arg(since)) AS BIGINT) AS lost;

-- name: LostUntil :one
-- So many at once, the oldest first, that nobody who signs in waits for it.
SELECT started_at FROM identity_upstream_transactions WHERE finished_at = 0 AND started_at < $1
ORDER BY started_at LIMIT 1 OFFSET 500;

-- name: AddLost :exec
INSERT INTO identity_upstream_lost (upstream, hour_at, number)
SELECT t.upstream, CAST(t.started_at / 3600000000 AS BIGINT) * 3600000000, COUNT(*) FROM identity_upstream_transactions t
WHERE t.finished_at = 0 AND t.claimed_at = 0 AND t.purpose = 'sign_in' AND t.started_at <= sqlc.arg(until)
GROUP BY 1, 2
ON CONFLICT (upstream, hour_at) DO UPDATE SET number = identity_upstream_lost.number + excluded.number;

-- name: ForgetLost :execrows
DELETE FROM identity_upstream_transactions WHERE finished_at = 0 AND started_at <= sqlc.arg(until);

-- name: ForgetLostHours :exec
DELETE FROM identity_upstream_lost WHERE hour_at < $1;

-- name: Link :one
SELECT * FROM identity_upstream_links WHERE upstream = $1 AND issuer = $2 AND subject = $3;

-- name: AddLink :execrows
INSERT INTO identity_upstream_links (id, upstream, issuer, subject, person_id, state, rule, name, made_at, used_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (upstream, issuer, subject) DO NOTHING;

-- name: UseLink :exec
UPDATE identity_upstream_links SET used_at = $2, name = $3 WHERE id = $1;

-- name: RemoveLink :execrows
DELETE FROM identity_upstream_links WHERE id = $1 AND person_id = $2;

-- name: LinksOf :many
SELECT * FROM identity_upstream_links WHERE person_id = $1 ORDER BY made_at, id;

-- name: CountLinks :one
SELECT COUNT(*) FROM identity_upstream_links WHERE upstream = $1 AND state = 'linked';

-- name: PeopleByNumber :many
SELECT id FROM identity_people WHERE student_number = $1 AND student_number <> '' ORDER BY id LIMIT 5;

-- name: PeopleByLogin :many
SELECT id FROM identity_people WHERE login = $1 LIMIT 5;

-- name: PeopleByMail :many
SELECT id FROM identity_people WHERE mail = $1 LIMIT 5;

-- name: AddEvent :exec
INSERT INTO identity_upstream_events (id, upstream, reason, expected, received, code, words, incident, timed, ahead, noted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: FailuresOf :many
SELECT * FROM identity_upstream_events WHERE upstream = $1 AND reason <> '' ORDER BY noted_at DESC, id DESC LIMIT $2;

-- name: LastGood :one
SELECT * FROM identity_upstream_events WHERE upstream = $1 AND reason = '' ORDER BY noted_at DESC, id DESC LIMIT 1;

-- name: Clocks :many
SELECT ahead FROM identity_upstream_events WHERE upstream = $1 AND timed ORDER BY noted_at DESC, id DESC LIMIT 101;

-- name: CountEvents :one
SELECT COUNT(*) FILTER (WHERE reason = '') AS good, COUNT(*) FILTER (WHERE reason <> '') AS bad
FROM identity_upstream_events WHERE upstream = $1 AND noted_at > sqlc.arg(since);

-- name: ForgetEvents :execrows
DELETE FROM identity_upstream_events WHERE noted_at < $1;

-- name: LinksForExport :many
SELECT upstream, issuer, subject, state, rule, name, made_at, used_at FROM identity_upstream_links WHERE person_id = $1 ORDER BY made_at, id;
