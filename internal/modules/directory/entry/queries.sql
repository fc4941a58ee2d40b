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

-- name: KeepPhoto :exec
INSERT INTO directory_photos (digest, photo, kept_at) VALUES (sqlc.arg(digest), sqlc.arg(photo), sqlc.arg(kept_at))
ON CONFLICT (digest) DO UPDATE SET kept_at = excluded.kept_at;

-- name: PhotoOf :one
SELECT photo FROM directory_photos WHERE digest = sqlc.arg(digest);

-- name: NamePhoto :execrows
UPDATE directory_photos SET kept_at = sqlc.arg(kept_at) WHERE digest = sqlc.arg(digest);

-- name: ForgetPhoto :execrows
-- A picture that nothing shows and that no plan named lately.
DELETE FROM directory_photos WHERE directory_photos.photo = sqlc.arg(photo) AND directory_photos.kept_at < sqlc.arg(before_at)
	AND NOT EXISTS (SELECT 1 FROM directory_entries e WHERE e.photo = directory_photos.photo);

-- name: NamedPhotos :one
SELECT COUNT(*) FROM directory_photos WHERE photo = sqlc.arg(photo);

-- name: UnusedPhotos :many
SELECT p.photo FROM directory_photos p WHERE p.kept_at < sqlc.arg(before_at)
	AND NOT EXISTS (SELECT 1 FROM directory_entries e WHERE e.photo = p.photo) ORDER BY p.photo LIMIT 1000;
