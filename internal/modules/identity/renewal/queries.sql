-- name: PasswordOf :one
SELECT hash, changed_at FROM identity_passwords WHERE person_id = $1;

-- name: SetPassword :exec
INSERT INTO identity_passwords (person_id, hash, changed_at) VALUES ($1, $2, $3)
ON CONFLICT (person_id) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at;

-- name: LatestPasswords :many
SELECT id, hash FROM identity_password_history WHERE person_id = $1 ORDER BY set_at DESC, id DESC LIMIT $2;

-- name: ReplacePasswords :execrows
UPDATE identity_password_history SET replaced_at = $2 WHERE person_id = $1 AND replaced_at = 0;

-- name: AddPassword :exec
INSERT INTO identity_password_history (id, person_id, hash, mark, set_at, replaced_at) VALUES ($1, $2, $3, $4, $5, $6);

-- name: ForgetPasswords :execrows
DELETE FROM identity_password_history
WHERE identity_password_history.person_id = sqlc.arg(person_id) AND identity_password_history.replaced_at > 0
  AND identity_password_history.replaced_at < sqlc.arg(before_at) AND identity_password_history.id NOT IN (SELECT h.id FROM identity_password_history h WHERE h.person_id = sqlc.arg(person_id) ORDER BY h.set_at DESC, h.id DESC LIMIT sqlc.arg(keep));

-- name: MarksOf :many
SELECT mark, replaced_at FROM identity_password_history
WHERE person_id = $1 AND replaced_at > sqlc.arg(since_at) AND mark <> ''
ORDER BY replaced_at DESC;

-- name: StateOf :one
SELECT w.changed_at, CAST(COALESCE(d.reason, '') AS TEXT) AS reason,
       (SELECT COUNT(*) FROM identity_recoveries r WHERE r.person_id = w.person_id AND r.proved_at > sqlc.arg(since_at) AND r.done_at = 0) AS forgotten
FROM identity_passwords w
LEFT JOIN identity_password_demands d ON d.person_id = w.person_id
WHERE w.person_id = $1;

-- name: Demand :exec
INSERT INTO identity_password_demands (person_id, reason, since_at, warned_for) VALUES ($1, $2, $3, 0)
ON CONFLICT (person_id) DO UPDATE SET reason = excluded.reason, since_at = excluded.since_at;

-- name: NoteWarning :exec
INSERT INTO identity_password_demands (person_id, reason, since_at, warned_for) VALUES ($1, '', $2, $3)
ON CONFLICT (person_id) DO UPDATE SET warned_for = excluded.warned_for;

-- name: MeetDemand :exec
DELETE FROM identity_password_demands WHERE person_id = $1;

-- name: Expiring :many
SELECT w.person_id, w.changed_at, CAST(COALESCE(d.warned_for, 0) AS BIGINT) AS warned_for
FROM identity_passwords w
JOIN identity_people p ON p.id = w.person_id
LEFT JOIN identity_password_demands d ON d.person_id = w.person_id
WHERE p.state IN ('active', 'expiring') AND w.changed_at > sqlc.arg(after_at) AND w.changed_at <= sqlc.arg(until_at) AND w.person_id > sqlc.arg(after_person)
ORDER BY w.person_id
LIMIT 500;

-- name: OpenRecovery :exec
INSERT INTO identity_recoveries (id, token_hash, link_hash, sealed, person_id, method, sent_by, address, user_agent, started_at, ends_at, sent_at, sendings, proved_at, done_at)
VALUES ($1, $2, '', $3, $4, '', $5, $6, $7, $8, $9, $8, 0, 0, 0);

-- name: RecoveryByID :one
SELECT * FROM identity_recoveries WHERE id = $1;

-- name: RecoveryByToken :one
SELECT * FROM identity_recoveries WHERE token_hash = $1;

-- name: RecoveryByLink :one
SELECT * FROM identity_recoveries WHERE link_hash = $1 AND link_hash <> '';

-- name: SendingsTo :one
SELECT CAST(COALESCE(SUM(sendings), 0) AS BIGINT) FROM identity_recoveries WHERE person_id = $1 AND person_id <> '' AND started_at > sqlc.arg(since_at);

-- name: NoteSending :exec
UPDATE identity_recoveries SET link_hash = $2, sendings = sendings + 1 WHERE id = $1;

-- name: ReplaceCode :execrows
UPDATE identity_recoveries SET sealed = $2, sent_at = $3 WHERE id = $1 AND proved_at = 0 AND done_at = 0;

-- name: ProveRecovery :execrows
UPDATE identity_recoveries SET proved_at = $2, method = $3, sealed = '' WHERE id = $1 AND proved_at = 0 AND done_at = 0 AND ends_at > $2;

-- name: TakeLink :execrows
UPDATE identity_recoveries SET link_hash = '', sealed = '', method = 'mail', token_hash = sqlc.arg(token_hash), proved_at = sqlc.arg(now_at)
WHERE id = sqlc.arg(id) AND link_hash = sqlc.arg(link_hash) AND done_at = 0 AND ends_at > sqlc.arg(now_at);

-- name: FinishRecoveries :exec
UPDATE identity_recoveries SET done_at = $2, link_hash = '', sealed = '' WHERE person_id = $1 AND done_at = 0;

-- name: ForgetRecoveries :execrows
DELETE FROM identity_recoveries WHERE ends_at < $1;

-- name: RecoveriesForExport :many
SELECT started_at, address, user_agent, done_at FROM identity_recoveries WHERE person_id = $1 ORDER BY started_at;

-- name: PasswordsForExport :many
SELECT set_at, replaced_at FROM identity_password_history WHERE person_id = $1 ORDER BY set_at;

-- name: DemandForExport :many
SELECT reason, since_at FROM identity_password_demands WHERE person_id = $1;
