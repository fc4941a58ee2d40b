-- name: AddYear :exec
INSERT INTO directory_years (id, name, moves, ends_at, state, promotions, departures, arrivals, done, skipped, made_by, made_at, applied_by, applied_at, undone_by, undone_at)
VALUES ($1, $2, $3, $4, 'preparing', 0, 0, 0, 0, 0, $5, $6, '', 0, '', 0);

-- name: YearByID :one
SELECT * FROM directory_years WHERE id = $1;

-- name: Years :many
SELECT * FROM directory_years ORDER BY made_at DESC, id DESC LIMIT 50;

-- name: AddPerson :exec
INSERT INTO directory_year_people (year_id, person_id, kind, state, name, folded, was, becomes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (year_id, person_id) DO NOTHING;

-- name: ClearPeople :execrows
DELETE FROM directory_year_people WHERE year_id = $1;

-- name: Prepared :execrows
UPDATE directory_years SET state = 'ready', promotions = $2, departures = $3, arrivals = $4 WHERE id = $1 AND state = 'preparing';

-- name: Progress :exec
UPDATE directory_years SET done = done + sqlc.arg(done), skipped = skipped + sqlc.arg(skipped) WHERE id = sqlc.arg(id);

-- name: Begin :execrows
UPDATE directory_years SET state = 'applying', done = 0, skipped = 0, applied_by = $2, applied_at = $3 WHERE id = $1 AND state = 'ready';

-- name: BeginUndo :execrows
UPDATE directory_years SET state = 'undoing', done = 0, skipped = 0, undone_by = $2, undone_at = $3 WHERE id = $1 AND state = 'done';

-- name: Finish :execrows
UPDATE directory_years SET state = CASE WHEN state = 'applying' THEN 'done' ELSE 'undone' END WHERE id = $1 AND state IN ('applying', 'undoing');

-- name: Drop :execrows
UPDATE directory_years SET state = 'dropped' WHERE id = $1 AND state = 'ready';

-- name: Waiting :many
SELECT * FROM directory_year_people WHERE year_id = $1 AND state = $2 AND person_id > $3 AND kind <> 'arrival' ORDER BY person_id LIMIT 200;

-- name: Mark :execrows
UPDATE directory_year_people SET state = sqlc.arg(new_state) WHERE year_id = sqlc.arg(year_id) AND person_id = sqlc.arg(person_id) AND state = sqlc.arg(old_state);
