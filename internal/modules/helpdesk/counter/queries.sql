-- name: InsertVisit :exec
INSERT INTO helpdesk_visits (id, counter_id, series, day, number, purpose, state, begins_at, ends_at, person_id, name, mail, phone, student, locale, ticket_id, opened, made_at, arrived_at, called_at, calls, served_at, done_at, agent_id, checked, note, told_at, version, at_window)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29);

-- name: UpdateVisit :execrows
UPDATE helpdesk_visits SET counter_id = @counter_id, series = @series, day = @day, number = @number, purpose = @purpose, state = @state, begins_at = @begins_at, ends_at = @ends_at,
    person_id = @person_id, name = @name, mail = @mail, phone = @phone, student = @student, locale = @locale, ticket_id = @ticket_id, opened = @opened, made_at = @made_at,
    arrived_at = @arrived_at, called_at = @called_at, calls = @calls, served_at = @served_at, done_at = @done_at, agent_id = @agent_id, checked = @checked, note = @note, told_at = @told_at, version = @version, at_window = @at_window
WHERE id = @id AND version + 1 = @version;

-- name: VisitByID :one
SELECT * FROM helpdesk_visits WHERE id = @id;

-- name: VisitsOfDay :many
SELECT * FROM helpdesk_visits WHERE counter_id = @counter_id AND day = @day ORDER BY begins_at, number;

-- name: Appointments :many
SELECT * FROM helpdesk_visits WHERE counter_id = @counter_id AND series = 'R' AND begins_at >= @from_at AND begins_at < @until_at ORDER BY begins_at, number;

-- name: AppointmentsOf :many
SELECT * FROM helpdesk_visits WHERE person_id = @person_id AND series = 'R' AND begins_at >= @from_at ORDER BY begins_at LIMIT 200;

-- name: Overlapping :one
SELECT count(*) FROM helpdesk_visits WHERE counter_id = @counter_id AND series = 'R' AND state IN ('booked', 'waiting', 'called', 'serving') AND begins_at < @until_at AND ends_at > @from_at AND id <> @but;

-- name: OpenOf :one
SELECT count(*) FROM helpdesk_visits WHERE counter_id = @counter_id AND purpose = @purpose AND series = 'R' AND state = 'booked' AND begins_at > @after_at AND id <> @but
    AND ((person_id <> '' AND person_id = @person_id) OR (mail <> '' AND mail = @mail) OR (phone <> '' AND phone = @phone));

-- name: TouchBook :exec
INSERT INTO helpdesk_counter_books (counter_id, changes) VALUES (@counter_id, 1)
ON CONFLICT (counter_id) DO UPDATE SET changes = helpdesk_counter_books.changes + 1;

-- name: NextNumber :one
INSERT INTO helpdesk_visit_numbers (counter_id, day, series, newest) VALUES (@counter_id, @day, @series, 1)
ON CONFLICT (counter_id, day, series) DO UPDATE SET newest = helpdesk_visit_numbers.newest + 1
RETURNING newest;

-- name: ForgetVisits :execrows
UPDATE helpdesk_visits SET person_id = '', name = '', mail = '', phone = '', student = '', note = '', version = version + 1
WHERE begins_at < @before_at AND (person_id <> '' OR name <> '' OR mail <> '' OR phone <> '' OR student <> '' OR note <> '');

-- name: InsertKey :exec
INSERT INTO helpdesk_counter_keys (id, counter_id, kind, token_hash, label, made_at, made_by) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: Keys :many
SELECT * FROM helpdesk_counter_keys WHERE counter_id = @counter_id ORDER BY made_at;

-- name: KeyByToken :one
SELECT * FROM helpdesk_counter_keys WHERE token_hash = @token_hash AND counter_id = @counter_id AND kind = @kind;

-- name: DeleteKey :execrows
DELETE FROM helpdesk_counter_keys WHERE id = @id AND counter_id = @counter_id;
