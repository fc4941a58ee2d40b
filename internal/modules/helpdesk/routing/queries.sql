-- name: WhoseTurn :many
-- The members of a queue, whoever got a ticket longest ago first.
SELECT m.person_id, CAST(COALESCE(t.given_at, 0) AS BIGINT) AS given_at, CAST(COALESCE(t.away_at, 0) AS BIGINT) AS away_at
FROM helpdesk_members m LEFT JOIN helpdesk_turns t ON t.queue_id = m.queue_id AND t.person_id = m.person_id
WHERE m.queue_id = sqlc.arg(queue_id) ORDER BY COALESCE(t.given_at, 0), m.person_id;

-- name: GiveTurn :exec
INSERT INTO helpdesk_turns (queue_id, person_id, given_at, away_at) VALUES (sqlc.arg(queue_id), sqlc.arg(person_id), sqlc.arg(given_at), 0)
ON CONFLICT (queue_id, person_id) DO UPDATE SET given_at = excluded.given_at;

-- name: SetAway :exec
INSERT INTO helpdesk_turns (queue_id, person_id, given_at, away_at) VALUES (sqlc.arg(queue_id), sqlc.arg(person_id), 0, sqlc.arg(away_at))
ON CONFLICT (queue_id, person_id) DO UPDATE SET away_at = excluded.away_at;

-- name: Latest :many
SELECT id, number, priority, channel, subject, requester_id, requester_mail, campus, area, service, reason, incident_code, leaf, queue_id, opened_at FROM helpdesk_tickets
ORDER BY opened_at DESC LIMIT sqlc.arg(most);
