-- name: AddOrder :exec
INSERT INTO identity_bulk_orders (id, act, reason, note, from_at, until_at, kind, chosen, ticked, state, listed, changes, asked_by, asked_at, address, agent, started_at, ended_at, undone_by, undone_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'preparing', $10, $11, $12, $13, $14, $15, 0, 0, '', 0);

-- name: AddPerson :exec
INSERT INTO identity_bulk_people (order_id, place, person_id, was_state, was_until_at, decision_id, outcome, why) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: Prepared :execrows
UPDATE identity_bulk_orders SET state = 'preview' WHERE id = $1 AND state = 'preparing';

-- name: OrderByID :one
SELECT * FROM identity_bulk_orders WHERE id = $1;

-- name: Orders :many
-- Those of one officer, or everybody's when none is named.
SELECT * FROM identity_bulk_orders
WHERE state <> 'preparing' AND (CAST(sqlc.arg(author) AS TEXT) = '' OR asked_by = sqlc.arg(author))
ORDER BY asked_at DESC, id DESC
LIMIT sqlc.arg(size) OFFSET sqlc.arg(skip);

-- name: CountOrders :one
SELECT COUNT(*) FROM identity_bulk_orders WHERE state <> 'preparing' AND (CAST(sqlc.arg(author) AS TEXT) = '' OR asked_by = sqlc.arg(author));

-- name: Start :execrows
UPDATE identity_bulk_orders SET state = 'running', started_at = sqlc.arg(now) WHERE id = sqlc.arg(id) AND state = 'preview' AND asked_at > sqlc.arg(oldest);

-- name: Drop :execrows
UPDATE identity_bulk_orders SET state = 'dropped', ended_at = $2 WHERE id = $1 AND state = 'preview';

-- name: Undo :execrows
UPDATE identity_bulk_orders SET state = 'undoing', undone_by = sqlc.arg(undone_by), undone_at = sqlc.arg(now), address = sqlc.arg(address), agent = sqlc.arg(agent)
WHERE id = sqlc.arg(id) AND state = 'done' AND ended_at > sqlc.arg(oldest);

-- name: Finish :execrows
UPDATE identity_bulk_orders SET state = CASE WHEN state = 'running' THEN 'done' ELSE 'undone' END, ended_at = CASE WHEN state = 'running' THEN sqlc.arg(now) ELSE ended_at END
WHERE id = sqlc.arg(id) AND state IN ('running', 'undoing');

-- name: Waiting :many
SELECT * FROM identity_bulk_people WHERE order_id = $1 AND outcome = $2 AND place > $3 ORDER BY place LIMIT 200;

-- name: Mark :execrows
UPDATE identity_bulk_people SET outcome = sqlc.arg(new_outcome), why = sqlc.arg(why)
WHERE order_id = sqlc.arg(order_id) AND place = sqlc.arg(place) AND outcome = sqlc.arg(old_outcome);

-- name: Decided :exec
UPDATE identity_bulk_people SET decision_id = $3 WHERE order_id = $1 AND place = $2;

-- name: Tally :many
SELECT outcome, why, was_state, COUNT(*) AS people FROM identity_bulk_people WHERE order_id = $1 GROUP BY outcome, why, was_state ORDER BY outcome, why, was_state;

-- name: List :many
SELECT * FROM identity_bulk_people
WHERE order_id = sqlc.arg(order_id) AND (CAST(sqlc.arg(outcome) AS TEXT) = '' OR outcome = sqlc.arg(outcome))
ORDER BY place
LIMIT sqlc.arg(size) OFFSET sqlc.arg(skip);

-- name: PruneOrders :execrows
DELETE FROM identity_bulk_orders
WHERE (state IN ('preparing', 'preview', 'dropped') AND asked_at < sqlc.arg(unconfirmed)) OR (state IN ('done', 'undone') AND asked_at < sqlc.arg(reported));

-- name: OfPerson :many
SELECT o.act, p.outcome, p.why, o.asked_at, o.started_at FROM identity_bulk_people p
JOIN identity_bulk_orders o ON o.id = p.order_id
WHERE p.person_id = $1 AND o.state NOT IN ('preparing', 'preview', 'dropped')
ORDER BY o.asked_at, o.id;

-- name: OrdersAsked :many
SELECT id, act, reason, from_at, until_at, kind, listed, changes, state, asked_at, started_at, ended_at FROM identity_bulk_orders WHERE asked_by = $1 ORDER BY asked_at;
