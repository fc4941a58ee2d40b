-- name: Settings :many
SELECT * FROM helpdesk_settings WHERE kind = sqlc.arg(kind) ORDER BY position, id;

-- name: SettingByID :one
SELECT * FROM helpdesk_settings WHERE kind = sqlc.arg(kind) AND id = sqlc.arg(id);

-- name: Stamp :one
SELECT stamp FROM helpdesk_setting_stamps WHERE kind = sqlc.arg(kind);

-- name: Touch :exec
INSERT INTO helpdesk_setting_stamps (kind, stamp) VALUES (sqlc.arg(kind), 1) ON CONFLICT (kind) DO UPDATE SET stamp = helpdesk_setting_stamps.stamp + 1;

-- name: InsertSetting :execrows
INSERT INTO helpdesk_settings (kind, id, position, doc, version, changed_at, changed_by)
VALUES (sqlc.arg(kind), sqlc.arg(id), sqlc.arg(position), sqlc.arg(doc), sqlc.arg(version), sqlc.arg(changed_at), sqlc.arg(changed_by)) ON CONFLICT DO NOTHING;

-- name: UpdateSetting :execrows
UPDATE helpdesk_settings SET position = sqlc.arg(position), doc = sqlc.arg(doc), version = sqlc.arg(version), changed_at = sqlc.arg(changed_at), changed_by = sqlc.arg(changed_by)
WHERE kind = sqlc.arg(kind) AND id = sqlc.arg(id) AND version = sqlc.arg(read_version);

-- name: DeleteSetting :execrows
DELETE FROM helpdesk_settings WHERE kind = sqlc.arg(kind) AND id = sqlc.arg(id);

-- name: InsertChange :exec
INSERT INTO helpdesk_setting_changes (id, kind, setting_id, was, becomes, was_position, version, changed_at, changed_by, undone_at)
VALUES (sqlc.arg(id), sqlc.arg(kind), sqlc.arg(setting_id), sqlc.arg(was), sqlc.arg(becomes), sqlc.arg(was_position), sqlc.arg(version), sqlc.arg(changed_at), sqlc.arg(changed_by), 0);

-- name: ChangeByID :one
SELECT * FROM helpdesk_setting_changes WHERE id = sqlc.arg(id);

-- name: Changes :many
SELECT * FROM helpdesk_setting_changes ORDER BY changed_at DESC, id DESC LIMIT sqlc.arg(most);

-- name: MarkUndone :execrows
UPDATE helpdesk_setting_changes SET undone_at = sqlc.arg(undone_at) WHERE id = sqlc.arg(id) AND undone_at = 0;
