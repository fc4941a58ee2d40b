-- name: AddPassword :exec
INSERT INTO identity_app_passwords (id, person_id, hash, label, purposes, made_at, last_used_at, network)
VALUES ($1, $2, $3, $4, $5, $6, 0, '');

-- name: PasswordByHash :one
SELECT a.id, a.person_id, a.purposes, a.last_used_at, p.login, p.mail
FROM identity_app_passwords a
JOIN identity_people p ON p.id = a.person_id
WHERE a.hash = $1;

-- name: PasswordsOf :many
SELECT id, label, purposes, made_at, last_used_at, network FROM identity_app_passwords
WHERE person_id = $1
ORDER BY made_at DESC, id
LIMIT 100;

-- name: CountPasswords :one
SELECT COUNT(*) FROM identity_app_passwords WHERE person_id = $1;

-- name: UsePassword :execrows
UPDATE identity_app_passwords SET last_used_at = $2, network = $3 WHERE id = $1 AND last_used_at < $2;

-- name: EndPassword :execrows
DELETE FROM identity_app_passwords WHERE id = $1 AND person_id = $2;

-- name: EndPasswordsOf :execrows
DELETE FROM identity_app_passwords WHERE person_id = $1;
