-- name: ListServices :many
SELECT * FROM sso_services ORDER BY id;

-- name: RegistryVersion :one
SELECT version FROM sso_registry WHERE name = 'services';

-- name: BumpRegistry :exec
UPDATE sso_registry SET version = version + 1 WHERE name = 'services';

-- name: InsertService :exec
INSERT INTO sso_services (id, name_fr, name_en, description_fr, description_en, category, icon, logo, home, contact,
	protocol, no_single_logout, disabled, keywords, patterns, attributes, audience, created_at, updated_at, updated_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20);

-- name: UpdateService :execrows
UPDATE sso_services SET name_fr = $2, name_en = $3, description_fr = $4, description_en = $5, category = $6, icon = $7,
	logo = $8, home = $9, contact = $10, protocol = $11, no_single_logout = $12, disabled = $13, keywords = $14,
	patterns = $15, attributes = $16, audience = $17, updated_at = $18, updated_by = $19
WHERE id = $1;

-- name: DisableService :execrows
UPDATE sso_services SET disabled = $2, updated_at = $3, updated_by = $4 WHERE id = $1;

-- name: DeleteService :execrows
DELETE FROM sso_services WHERE id = $1;

-- name: InsertTicket :exec
INSERT INTO sso_tickets (hash, state, service_id, service_url, url_key, session_id, person, login, signed_in_at, fresh, issued_at, expires_at)
VALUES ($1, 'issued', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: Ticket :one
SELECT * FROM sso_tickets WHERE hash = $1;

-- name: UseTicket :execrows
-- The one place where a ticket is spent: of many who try at once, one row count is 1.
UPDATE sso_tickets SET state = $2, ticket = $3, used_at = $4, validator = $5
WHERE hash = $1 AND state = 'issued' AND used_at = 0 AND expires_at > $4;

-- name: RecentTickets :one
-- How often one session was sent to one address lately, and what became of it.
SELECT COUNT(*) AS issued,
	CAST(COALESCE(SUM(CASE WHEN state = 'refused' THEN 1 ELSE 0 END), 0) AS BIGINT) AS refused,
	CAST(COALESCE(SUM(CASE WHEN used_at <> 0 THEN 1 ELSE 0 END), 0) AS BIGINT) AS checked,
	CAST(COALESCE(SUM(CASE WHEN used_at = 0 AND issued_at < sqlc.arg(patience) THEN 1 ELSE 0 END), 0) AS BIGINT) AS ignored
FROM sso_tickets WHERE session_id = sqlc.arg(session_id) AND url_key = sqlc.arg(url_key) AND issued_at > sqlc.arg(since);

-- name: SessionServices :many
SELECT DISTINCT service_id FROM sso_tickets WHERE session_id = $1 AND state = 'validated' ORDER BY service_id;

-- name: OpenLogouts :many
-- A validated ticket becomes a message to its service.
INSERT INTO sso_logouts (id, state, service_id, service_url, ticket, session_id, person, created_at)
SELECT t.hash, 'waiting', t.service_id, t.service_url, t.ticket, t.session_id, t.person, CAST(sqlc.arg(now) AS BIGINT)
FROM sso_tickets t WHERE t.session_id = sqlc.arg(session_id) AND t.state = 'validated'
ON CONFLICT (id) DO NOTHING
RETURNING id, service_id;

-- name: EndTickets :exec
UPDATE sso_tickets SET state = 'ended' WHERE session_id = $1 AND state IN ('issued', 'validated');

-- name: Logout :one
SELECT * FROM sso_logouts WHERE id = $1;

-- name: NoteLogout :exec
UPDATE sso_logouts SET state = $2, attempts = $3, answer = $4, finished_at = $5 WHERE id = $1;

-- name: ServiceLogouts :many
SELECT * FROM sso_logouts WHERE service_id = $1 ORDER BY created_at DESC, id LIMIT $2;

-- name: FailedLogouts :one
SELECT COUNT(*) FROM sso_logouts WHERE state = 'failed' AND created_at > $1;

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

-- name: PersonTickets :many
SELECT service_id, service_url, state, issued_at, used_at FROM sso_tickets WHERE person = $1 ORDER BY issued_at, hash;

-- name: PersonLogouts :many
SELECT service_id, state, answer, created_at, finished_at FROM sso_logouts WHERE person = $1 ORDER BY created_at, id;

-- name: PruneTickets :execrows
-- Tickets that opened no session go first; the record of a session stays as long as history is kept.
DELETE FROM sso_tickets WHERE hash IN (
	SELECT t.hash FROM sso_tickets t
	WHERE t.issued_at < sqlc.arg(unused_before) AND t.state IN ('issued', 'refused')
		OR t.issued_at < sqlc.arg(ended_before) AND t.state = 'ended'
		OR t.issued_at < sqlc.arg(lost_before)
	LIMIT sqlc.arg(most));

-- name: PruneLogouts :execrows
DELETE FROM sso_logouts WHERE id IN (SELECT l.id FROM sso_logouts l WHERE l.created_at < $1 LIMIT $2);

-- name: PruneIncidents :execrows
DELETE FROM sso_incidents WHERE id IN (SELECT i.id FROM sso_incidents i WHERE i.last_at < $1 LIMIT $2);

-- name: PruneContactMails :execrows
DELETE FROM sso_contact_mails WHERE day < $1;
