-- name: Value :one
SELECT value FROM directory_by_hand WHERE kind = sqlc.arg(kind) AND subject = sqlc.arg(subject) AND part = sqlc.arg(part);

-- name: PutValue :exec
INSERT INTO directory_by_hand (kind, subject, part, value, entered_by, entered_at)
VALUES (sqlc.arg(kind), sqlc.arg(subject), sqlc.arg(part), sqlc.arg(value), sqlc.arg(entered_by), sqlc.arg(entered_at))
ON CONFLICT (kind, subject, part) DO UPDATE SET value = excluded.value, entered_by = excluded.entered_by, entered_at = excluded.entered_at;

-- name: DropValue :exec
DELETE FROM directory_by_hand WHERE kind = sqlc.arg(kind) AND subject = sqlc.arg(subject) AND part = sqlc.arg(part);

-- name: DropSubject :exec
DELETE FROM directory_by_hand WHERE kind = sqlc.arg(kind) AND subject = sqlc.arg(subject);

-- name: ValuesOfKind :many
SELECT subject, part, value, entered_by, entered_at FROM directory_by_hand WHERE kind = sqlc.arg(kind);

-- name: AddEdit :exec
INSERT INTO directory_edits (id, kind, subject, part, shown, had, was, has, becomes, cause, edited_by, edited_at)
VALUES (sqlc.arg(id), sqlc.arg(kind), sqlc.arg(subject), sqlc.arg(part), sqlc.arg(shown), sqlc.arg(had), sqlc.arg(was), sqlc.arg(has), sqlc.arg(becomes),
	sqlc.arg(cause), sqlc.arg(edited_by), sqlc.arg(edited_at));

-- name: Edit :one
SELECT id, kind, subject, part, shown, had, was, has, becomes, cause, edited_by, edited_at, undone_by, undone_at FROM directory_edits WHERE id = sqlc.arg(id);

-- name: History :many
SELECT id, kind, subject, part, shown, had, was, has, becomes, cause, edited_by, edited_at, undone_by, undone_at FROM directory_edits
WHERE kind = sqlc.arg(kind) AND subject = sqlc.arg(subject) ORDER BY edited_at DESC, id DESC LIMIT sqlc.arg(most);

-- name: MarkUndone :execrows
UPDATE directory_edits SET undone_by = sqlc.arg(undone_by), undone_at = sqlc.arg(undone_at) WHERE id = sqlc.arg(id) AND undone_at = 0;

-- name: Forget :execrows
DELETE FROM directory_edits WHERE edited_at < sqlc.arg(before_at);
