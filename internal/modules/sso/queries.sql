-- name: ListServices :many
SELECT * FROM sso_services ORDER BY id;

-- name: RegistryVersion :one
SELECT version FROM sso_registry WHERE name = 'services';

-- name: BumpRegistry :exec
UPDATE sso_registry SET version = version + 1 WHERE name = 'services';

-- name: InsertService :exec
INSERT INTO sso_services (id, document, created_at, updated_at, updated_by) VALUES ($1, $2, $3, $3, $4);

-- name: UpdateService :execrows
UPDATE sso_services SET document = $2, updated_at = $3, updated_by = $4 WHERE id = $1;

-- name: DeleteService :execrows
DELETE FROM sso_services WHERE id = $1;

-- name: NoteIncident :exec
INSERT INTO sso_incidents (id, repeat_key, service_id, reason, difference, expected, received, ticket_age, validator, times, first_at, last_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $10)
ON CONFLICT (repeat_key) DO UPDATE SET expected = excluded.expected, received = excluded.received,
	ticket_age = excluded.ticket_age, times = sso_incidents.times + 1, last_at = excluded.last_at;

-- name: ServiceIncidents :many
SELECT * FROM sso_incidents WHERE service_id = $1 ORDER BY last_at DESC, id LIMIT $2;

-- name: BrokenServices :many
-- Tickets of somebody's invention and sign-outs that crossed a validation break no service.
SELECT service_id, CAST(SUM(times) AS BIGINT) AS times, CAST(MAX(last_at) AS BIGINT) AS latest
FROM sso_incidents WHERE last_at > $1 AND service_id <> '' AND reason NOT IN ('sso.ticket_unknown', 'sso.ticket_ended')
GROUP BY service_id ORDER BY MAX(last_at) DESC, service_id LIMIT 20;

-- name: NoteContactMail :execrows
INSERT INTO sso_contact_mails (service_id, reason, day) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: PruneIncidents :execrows
DELETE FROM sso_incidents WHERE id IN (SELECT i.id FROM sso_incidents i WHERE i.last_at < $1 LIMIT $2);

-- name: PruneContactMails :execrows
DELETE FROM sso_contact_mails WHERE day < $1;
