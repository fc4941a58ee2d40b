-- name: GiveMandate :execrows
INSERT INTO identity_mandates (person_id, right_name, campus, programme, unit, granted_at, granted_by)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING;

-- name: TakeMandate :execrows
DELETE FROM identity_mandates WHERE person_id = $1 AND right_name = $2 AND campus = $3 AND programme = $4 AND unit = $5;

-- name: HoldRight :execrows
-- Changes nothing: whoever takes the same right from somebody else waits until we are done.
UPDATE identity_mandates SET granted_at = granted_at WHERE right_name = $1;

-- name: OthersWithRight :one
SELECT COUNT(*) FROM identity_mandates m
JOIN identity_people p ON p.id = m.person_id
WHERE m.right_name = $1 AND m.campus = '' AND m.programme = '' AND m.unit = '' AND m.person_id <> $2 AND p.state IN ('active', 'expiring');

-- name: Mandates :many
SELECT m.person_id, m.right_name, m.campus, m.programme, m.unit, m.granted_at, p.login, p.given_name, p.family_name, p.state,
       CAST(COALESCE((SELECT b.given_name || ' ' || b.family_name FROM identity_people b WHERE b.id = m.granted_by), '') AS TEXT) AS granted_by_name
FROM identity_mandates m
JOIN identity_people p ON p.id = m.person_id
WHERE (sqlc.arg(of_right) = '' OR m.right_name = sqlc.arg(of_right))
ORDER BY p.folded_name, p.id, m.right_name, m.campus, m.programme, m.unit
LIMIT sqlc.arg(size) OFFSET sqlc.arg(skip);

-- name: CountMandates :one
SELECT COUNT(*) FROM identity_mandates m
WHERE (sqlc.arg(of_right) = '' OR m.right_name = sqlc.arg(of_right));
