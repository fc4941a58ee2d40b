-- name: NoteUpload :exec
INSERT INTO helpdesk_uploads (file_ref, taken_at) VALUES (sqlc.arg(file_ref), sqlc.arg(taken_at)) ON CONFLICT (file_ref) DO NOTHING;

-- name: ForgetUpload :exec
DELETE FROM helpdesk_uploads WHERE file_ref = sqlc.arg(file_ref);

-- name: OldUploads :many
SELECT file_ref FROM helpdesk_uploads WHERE taken_at < sqlc.arg(before_at) ORDER BY taken_at LIMIT 500;

-- name: LayAside :execrows
UPDATE helpdesk_uploads SET tray_hash = sqlc.arg(tray_hash), owner_id = sqlc.arg(owner_id), position = sqlc.arg(position), name = sqlc.arg(name),
    media_type = sqlc.arg(media_type), size = sqlc.arg(size), taken_at = sqlc.arg(taken_at)
WHERE file_ref = sqlc.arg(file_ref) AND tray_hash = '';

-- name: TakeTray :many
DELETE FROM helpdesk_uploads WHERE tray_hash = sqlc.arg(tray_hash) AND owner_id = sqlc.arg(owner_id) AND taken_at >= sqlc.arg(since_at) RETURNING *;

-- name: FilesWaitingFor :many
SELECT * FROM helpdesk_uploads WHERE owner_id = sqlc.arg(owner_id) AND owner_id <> '' AND file_ref > sqlc.arg(after_ref) ORDER BY file_ref LIMIT 200;

-- name: FileUses :one
SELECT COUNT(*) FROM helpdesk_attachments WHERE file_ref = sqlc.arg(file_ref);

-- name: FilesOfPerson :many
SELECT a.file_ref FROM helpdesk_attachments a JOIN helpdesk_tickets t ON t.id = a.ticket_id
WHERE (t.requester_id = sqlc.arg(requester_id) OR t.requester_id = '' AND t.requester_mail <> '' AND t.requester_mail = sqlc.arg(mail)) AND a.file_ref > sqlc.arg(after_ref) ORDER BY a.file_ref LIMIT 200;
