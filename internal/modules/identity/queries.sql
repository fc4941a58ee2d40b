-- name: AddPerson :exec
INSERT INTO identity_people (id, login, mail, given_name, family_name, student_number, job_title, folded_name, state, locale, appearance, created_at, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12);

-- name: AddAffiliation :exec
INSERT INTO identity_affiliations (person_id, kind, campus, programme, unit)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING;

-- name: SetPassword :exec
INSERT INTO identity_passwords (person_id, hash, changed_at)
VALUES ($1, $2, $3)
ON CONFLICT (person_id) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at;

-- name: ReplaceHash :execrows
UPDATE identity_passwords SET hash = sqlc.arg(new_hash) WHERE person_id = $1 AND hash = sqlc.arg(old_hash);

-- name: Activate :execrows
UPDATE identity_people SET state = 'active', changed_at = $2 WHERE id = $1 AND state = 'invited';

-- name: SetPreferences :execrows
UPDATE identity_people SET locale = $2, appearance = $3, changed_at = $4 WHERE id = $1;

-- name: PersonByID :one
SELECT p.*,
       CAST(COALESCE((SELECT string_agg(a.kind || '|' || a.campus || '|' || a.programme || '|' || a.unit, ';') FROM identity_affiliations a WHERE a.person_id = p.id), '') AS TEXT) AS affiliations,
       CAST(COALESCE((SELECT string_agg(r.right_name || '|' || r.campus || '|' || r.programme || '|' || r.unit, ';') FROM identity_mandates r WHERE r.person_id = p.id), '') AS TEXT) AS rights
FROM identity_people p
WHERE p.id = $1;

-- name: PersonByLogin :one
SELECT p.*,
       CAST(COALESCE((SELECT string_agg(a.kind || '|' || a.campus || '|' || a.programme || '|' || a.unit, ';') FROM identity_affiliations a WHERE a.person_id = p.id), '') AS TEXT) AS affiliations,
       CAST(COALESCE((SELECT string_agg(r.right_name || '|' || r.campus || '|' || r.programme || '|' || r.unit, ';') FROM identity_mandates r WHERE r.person_id = p.id), '') AS TEXT) AS rights
FROM identity_people p
WHERE p.login = $1 OR p.mail = $1;

-- name: ListPeople :many
SELECT id, login, mail, given_name, family_name, state
FROM identity_people
WHERE (folded_name, id) > (sqlc.arg(after_name), sqlc.arg(after_id))
ORDER BY folded_name, id
LIMIT sqlc.arg(size);

-- name: Holders :many
SELECT p.id FROM identity_people p
JOIN identity_mandates r ON r.person_id = p.id
WHERE r.right_name = $1 AND r.campus = '' AND r.programme = '' AND r.unit = '' AND p.state IN ('active', 'expiring')
ORDER BY p.folded_name, p.id
LIMIT 500;

-- name: CountPeople :one
SELECT COUNT(*) FROM identity_people;

-- name: PasswordOf :one
SELECT p.id, p.login, p.state, CAST(COALESCE(w.hash, '') AS TEXT) AS hash
FROM identity_people p
LEFT JOIN identity_passwords w ON w.person_id = p.id
WHERE p.login = $1 OR p.mail = $1;

-- name: OpenSession :exec
INSERT INTO identity_sessions (id, token_hash, person_id, shared, signed_in_at, last_seen_at, idle_at, expires_at, ended_at, end_reason, address, user_agent, attempt_id, method, factor_method, factor_at)
VALUES ($1, $2, $3, $4, $5, $14, $6, $7, 0, '', $8, $9, $10, $11, $12, $13);

-- name: RenewSession :execrows
UPDATE identity_sessions
SET token_hash = $2, signed_in_at = $3, last_seen_at = $12, idle_at = $4, expires_at = $5, address = $6, user_agent = $7,
    attempt_id = $8, method = $9, factor_method = $10, factor_at = $11
WHERE id = $1 AND ended_at = 0;

-- name: StrengthenSession :exec
UPDATE identity_sessions SET factor_method = $2, factor_at = $3 WHERE id = $1 AND ended_at = 0;

-- name: SessionByToken :one
SELECT s.id AS session_id, s.shared, s.signed_in_at, s.last_seen_at, s.idle_at, s.expires_at, s.ended_at, s.end_reason, s.method, s.factor_method, s.factor_at,
       p.id, p.login, p.mail, p.given_name, p.family_name, p.state, p.locale, p.appearance,
       CAST(COALESCE((SELECT string_agg(a.kind || '|' || a.campus || '|' || a.programme || '|' || a.unit, ';') FROM identity_affiliations a WHERE a.person_id = p.id), '') AS TEXT) AS affiliations,
       CAST(COALESCE((SELECT string_agg(r.right_name || '|' || r.campus || '|' || r.programme || '|' || r.unit, ';') FROM identity_mandates r WHERE r.person_id = p.id), '') AS TEXT) AS rights
FROM identity_sessions s
JOIN identity_people p ON p.id = s.person_id
WHERE s.token_hash = $1;

-- name: TouchSession :exec
UPDATE identity_sessions SET last_seen_at = $2, idle_at = $3 WHERE id = $1 AND ended_at = 0 AND last_seen_at < $2;

-- name: EndSession :execrows
UPDATE identity_sessions SET ended_at = $2, end_reason = $3 WHERE id = $1 AND ended_at = 0;

-- name: OpenSessionsOf :many
SELECT id, shared, signed_in_at, last_seen_at, idle_at, expires_at, address, user_agent
FROM identity_sessions
WHERE person_id = $1 AND ended_at = 0 AND idle_at > sqlc.arg(now) AND expires_at > sqlc.arg(now)
ORDER BY last_seen_at DESC, id
LIMIT 200;

-- name: IdleSessions :many
SELECT id, expires_at FROM identity_sessions
WHERE ended_at = 0 AND (idle_at <= sqlc.arg(now) OR expires_at <= sqlc.arg(now))
LIMIT 500;

-- name: ForgetSessions :execrows
DELETE FROM identity_sessions WHERE ended_at > 0 AND ended_at < $1;

-- name: CountOpenSessions :one
SELECT COUNT(*) FROM identity_sessions WHERE ended_at = 0 AND idle_at > sqlc.arg(now) AND expires_at > sqlc.arg(now);

-- name: SessionsForExport :many
SELECT signed_in_at, last_seen_at, ended_at, end_reason, shared, address, user_agent
FROM identity_sessions WHERE person_id = $1 ORDER BY signed_in_at;

-- name: AmendPerson :execrows
UPDATE identity_people SET login = $2, mail = $3, given_name = $4, family_name = $5, student_number = $6, job_title = $7, folded_name = $8, locale = $9, changed_at = $10
WHERE id = $1;

-- name: DropAffiliations :exec
DELETE FROM identity_affiliations WHERE person_id = $1;
