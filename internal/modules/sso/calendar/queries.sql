-- name: NoteAlarm :execrows
-- One row is one alarm sent: of two servers, one wins.
INSERT INTO sso_alarms (item, ends_at, days, sent_at)
VALUES (sqlc.arg(item), sqlc.arg(ends_at), sqlc.arg(days), sqlc.arg(sent_at)) ON CONFLICT DO NOTHING;

-- name: ForgetAlarms :execrows
DELETE FROM sso_alarms WHERE sent_at < sqlc.arg(before_at) AND ends_at < sqlc.arg(before_at);
