-- name: PutUnit :exec
INSERT INTO directory_units (code, parent, kind, name_french, name_english, about_french, about_english, keywords, head, phone, mail, campus, place, hours_french, hours_english, source, changed_at)
VALUES (sqlc.arg(code), sqlc.arg(parent), sqlc.arg(kind), sqlc.arg(name_french), sqlc.arg(name_english), sqlc.arg(about_french), sqlc.arg(about_english),
	sqlc.arg(keywords), sqlc.arg(head), sqlc.arg(phone), sqlc.arg(mail), sqlc.arg(campus), sqlc.arg(place), sqlc.arg(hours_french), sqlc.arg(hours_english), sqlc.arg(source), sqlc.arg(changed_at))
ON CONFLICT (code) DO UPDATE SET parent = excluded.parent, kind = excluded.kind, name_french = excluded.name_french, name_english = excluded.name_english,
	about_french = excluded.about_french, about_english = excluded.about_english, keywords = excluded.keywords, head = excluded.head, phone = excluded.phone,
	mail = excluded.mail, campus = excluded.campus, place = excluded.place, hours_french = excluded.hours_french, hours_english = excluded.hours_english,
	source = excluded.source, changed_at = excluded.changed_at;

-- name: AllUnits :many
SELECT code, parent, kind, name_french, name_english, about_french, about_english, keywords, head, phone, mail, campus, place, hours_french, hours_english, source, changed_at
FROM directory_units ORDER BY code;

-- name: ParentOf :one
SELECT parent FROM directory_units WHERE code = sqlc.arg(code);

-- name: RemoveUnit :execrows
DELETE FROM directory_units WHERE code = sqlc.arg(code);

-- name: LiftUnits :exec
-- What was below a unit that goes away stands below the one above it.
UPDATE directory_units SET parent = sqlc.arg(above), changed_at = sqlc.arg(changed_at) WHERE parent = sqlc.arg(code);
