-- name: PutEntry :exec
INSERT INTO directory_entries (person_id, unlisted, phones, office, building, campus, hours, functions, replaced_by, manager, photo, source, changed_at)
VALUES (sqlc.arg(person_id), sqlc.arg(unlisted), sqlc.arg(phones), sqlc.arg(office), sqlc.arg(building), sqlc.arg(campus), sqlc.arg(hours),
	sqlc.arg(functions), sqlc.arg(replaced_by), sqlc.arg(manager), sqlc.arg(photo), sqlc.arg(source), sqlc.arg(changed_at))
ON CONFLICT (person_id) DO UPDATE SET unlisted = excluded.unlisted, phones = excluded.phones, office = excluded.office, building = excluded.building,
	campus = excluded.campus, hours = excluded.hours, functions = excluded.functions, replaced_by = excluded.replaced_by, manager = excluded.manager,
	photo = excluded.photo, source = excluded.source, changed_at = excluded.changed_at;

-- name: DropEntry :exec
DELETE FROM directory_entries WHERE person_id = sqlc.arg(person_id);

-- name: DropChoices :exec
DELETE FROM directory_choices WHERE person_id = sqlc.arg(person_id);

-- name: Choices :one
SELECT audiences, hours, photo, consent_at, changed_at FROM directory_choices WHERE person_id = sqlc.arg(person_id);

-- name: PutChoices :exec
INSERT INTO directory_choices (person_id, audiences, hours, photo, consent_at, changed_at)
VALUES (sqlc.arg(person_id), sqlc.arg(audiences), sqlc.arg(hours), sqlc.arg(photo), sqlc.arg(consent_at), sqlc.arg(changed_at))
ON CONFLICT (person_id) DO UPDATE SET audiences = excluded.audiences, hours = excluded.hours, photo = excluded.photo,
	consent_at = excluded.consent_at, changed_at = excluded.changed_at;

-- name: PhotoUses :one
SELECT (SELECT COUNT(*) FROM directory_entries e WHERE e.photo = sqlc.arg(photo)) + (SELECT COUNT(*) FROM directory_choices c WHERE c.photo = sqlc.arg(photo)) AS uses;
