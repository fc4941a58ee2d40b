-- name: Disclosure :one
SELECT person, service_id, name_fr, name_en, told, first_told_at, last_told_at, agreed, agreed_at, left_out
FROM sso_disclosures WHERE person = sqlc.arg(person) AND service_id = sqlc.arg(service_id);

-- name: DisclosuresOf :many
SELECT person, service_id, name_fr, name_en, told, first_told_at, last_told_at, agreed, agreed_at, left_out
FROM sso_disclosures WHERE person = sqlc.arg(person)
ORDER BY last_told_at DESC, agreed_at DESC, service_id LIMIT 1000;

-- name: NoteTold :exec
INSERT INTO sso_disclosures (person, service_id, name_fr, name_en, told, first_told_at, last_told_at)
VALUES (sqlc.arg(person), sqlc.arg(service_id), sqlc.arg(name_fr), sqlc.arg(name_en), sqlc.arg(told), sqlc.arg(told_at), sqlc.arg(told_at))
ON CONFLICT (person, service_id) DO UPDATE SET
	name_fr = excluded.name_fr, name_en = excluded.name_en, told = excluded.told, last_told_at = excluded.last_told_at,
	first_told_at = CASE WHEN sso_disclosures.first_told_at = 0 THEN excluded.first_told_at ELSE sso_disclosures.first_told_at END;

-- name: Agree :exec
INSERT INTO sso_disclosures (person, service_id, name_fr, name_en, agreed, agreed_at, left_out)
VALUES (sqlc.arg(person), sqlc.arg(service_id), sqlc.arg(name_fr), sqlc.arg(name_en), sqlc.arg(agreed), sqlc.arg(agreed_at), sqlc.arg(left_out))
ON CONFLICT (person, service_id) DO UPDATE SET
	name_fr = excluded.name_fr, name_en = excluded.name_en, agreed = excluded.agreed, agreed_at = excluded.agreed_at, left_out = excluded.left_out;

-- name: Revoke :execrows
UPDATE sso_disclosures SET agreed = '', agreed_at = 0, left_out = ''
WHERE person = sqlc.arg(person) AND service_id = sqlc.arg(service_id) AND agreed_at > 0;

-- name: Forget :execrows
-- Nobody was there for long, and nothing was agreed to since.
DELETE FROM sso_disclosures WHERE (person, service_id) IN (
	SELECT d.person, d.service_id FROM sso_disclosures d
	WHERE d.last_told_at < sqlc.arg(before_at) AND d.agreed_at < sqlc.arg(before_at) LIMIT sqlc.arg(most));
