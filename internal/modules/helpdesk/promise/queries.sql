-- name: Alarm :one
SELECT * FROM helpdesk_alarms WHERE ticket_id = sqlc.arg(ticket_id);

-- name: SetAlarm :exec
INSERT INTO helpdesk_alarms (ticket_id, rings_at, said) VALUES (sqlc.arg(ticket_id), sqlc.arg(rings_at), sqlc.arg(said))
ON CONFLICT (ticket_id) DO UPDATE SET rings_at = excluded.rings_at, said = excluded.said;

-- name: Ringing :many
SELECT ticket_id FROM helpdesk_alarms WHERE rings_at > 0 AND rings_at <= sqlc.arg(now_at) ORDER BY rings_at LIMIT sqlc.arg(most);

-- name: Silence :execrows
UPDATE helpdesk_alarms SET rings_at = 0, said = sqlc.arg(said) WHERE ticket_id = sqlc.arg(ticket_id) AND rings_at = sqlc.arg(rings_at) AND rings_at > 0;

-- name: Past :many
SELECT queue_id, priority, area, reason, opened_at, answered_at, solved_at, paused FROM helpdesk_tickets
WHERE opened_at >= sqlc.arg(since_at) AND state <> 'merged' AND channel <> 'import' AND (answered_at > 0 OR solved_at > 0)
ORDER BY opened_at DESC LIMIT sqlc.arg(most);

-- name: ForgetEstimates :exec
DELETE FROM helpdesk_estimates;

-- name: InsertEstimate :exec
INSERT INTO helpdesk_estimates (queue_id, priority, likeness, liked, answer_cases, answer_median, answer_late, solve_cases, solve_median, solve_late, counted_at)
VALUES (sqlc.arg(queue_id), sqlc.arg(priority), sqlc.arg(likeness), sqlc.arg(liked), sqlc.arg(answer_cases), sqlc.arg(answer_median), sqlc.arg(answer_late), sqlc.arg(solve_cases), sqlc.arg(solve_median), sqlc.arg(solve_late), sqlc.arg(counted_at));

-- name: Estimates :many
SELECT * FROM helpdesk_estimates WHERE queue_id = sqlc.arg(queue_id) AND priority = sqlc.arg(priority);

-- name: Ahead :one
-- Those of the same queue that come first: more urgent, or as urgent and older. The
-- count stops where it no longer says anything.
SELECT COUNT(*) FROM (
    SELECT id FROM helpdesk_tickets WHERE queue_id = sqlc.arg(queue_id) AND state = sqlc.arg(state)
        AND (priority < sqlc.arg(priority) OR (priority = sqlc.arg(priority) AND opened_at < sqlc.arg(opened_at))) LIMIT 1000
) AS first;

-- name: UnderWay :many
SELECT id FROM helpdesk_tickets WHERE queue_id = sqlc.arg(queue_id) AND state = sqlc.arg(state) AND priority = sqlc.arg(priority) AND id > sqlc.arg(after) ORDER BY id LIMIT sqlc.arg(most);

-- name: CountUnderWay :one
SELECT COUNT(*) FROM helpdesk_tickets WHERE queue_id = sqlc.arg(queue_id) AND state IN ('new', 'open', 'waiting', 'postponed');

-- name: UnderWayIn :many
SELECT id FROM helpdesk_tickets WHERE queue_id = sqlc.arg(queue_id) AND state IN ('new', 'open', 'waiting', 'postponed') LIMIT sqlc.arg(most);
