-- name: AddToken :exec
INSERT INTO directory_tokens (id, source, label, hash, made_by, made_at, ends_at, used_at, revoked_by, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, '', 0);

-- name: TokenByHash :one
SELECT * FROM directory_tokens WHERE hash = $1;

-- name: Tokens :many
-- Those that hold, then those that do not any more, the latest first.
SELECT * FROM directory_tokens ORDER BY CASE WHEN revoked_at = 0 AND ends_at > sqlc.arg(now_at) THEN 0 ELSE 1 END, made_at DESC, id LIMIT 200;

-- name: CountTokens :one
SELECT COUNT(*) FROM directory_tokens WHERE revoked_at = 0;

-- name: UseToken :exec
UPDATE directory_tokens SET used_at = $2, used_from = $3 WHERE id = $1;

-- name: RevokeToken :execrows
UPDATE directory_tokens SET revoked_at = $2, revoked_by = $3 WHERE id = $1 AND revoked_at = 0;

-- name: TokenByID :one
SELECT * FROM directory_tokens WHERE id = $1;

-- name: TokensThatEnd :many
-- Those of which nobody was told yet that they end before a time.
SELECT * FROM directory_tokens WHERE revoked_at = 0 AND warned_at = 0 AND ends_at < $1 ORDER BY ends_at, id LIMIT 100;

-- name: TokenWarned :execrows
UPDATE directory_tokens SET warned_at = $2 WHERE id = $1 AND warned_at = 0;

-- name: TokensThatEnded :many
SELECT * FROM directory_tokens WHERE revoked_at = 0 AND told_at = 0 AND ends_at <= $1 ORDER BY ends_at, id LIMIT 100;

-- name: TokenTold :execrows
UPDATE directory_tokens SET told_at = $2 WHERE id = $1 AND told_at = 0;

-- name: TokensInUse :many
-- Those that programs use, and that end before a time.
SELECT * FROM directory_tokens WHERE revoked_at = 0 AND ends_at < sqlc.arg(before_at) AND used_at > sqlc.arg(used_after_at) ORDER BY ends_at, id LIMIT 100;

-- name: Pushed :one
SELECT * FROM directory_pushed WHERE source = $1 AND kind = $2 AND id = $3;

-- name: PushedByName :many
SELECT * FROM directory_pushed WHERE source = $1 AND kind = $2 AND name = $3 ORDER BY id;

-- name: PushedByExternal :many
SELECT * FROM directory_pushed WHERE source = $1 AND kind = $2 AND external_id = $3 ORDER BY id LIMIT 1000;

-- name: PushedAfter :many
SELECT * FROM directory_pushed WHERE source = $1 AND kind = $2 AND id > sqlc.arg(after) ORDER BY id LIMIT sqlc.arg(most);

-- name: PushedFrom :many
SELECT * FROM directory_pushed WHERE source = $1 AND kind = $2 ORDER BY id LIMIT sqlc.arg(most) OFFSET sqlc.arg(skip);

-- name: CountPushed :one
SELECT COUNT(*) FROM directory_pushed WHERE source = $1 AND kind = $2;

-- name: AddPushed :exec
INSERT INTO directory_pushed (source, kind, id, external_id, name, body, person_id, version, made_at, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: ChangePushed :execrows
UPDATE directory_pushed SET external_id = sqlc.arg(external_id), name = sqlc.arg(name), body = sqlc.arg(body), version = sqlc.arg(version), changed_at = sqlc.arg(changed_at)
WHERE source = sqlc.arg(source) AND kind = sqlc.arg(kind) AND id = sqlc.arg(id) AND version = sqlc.arg(old_version);

-- name: DropPushed :execrows
DELETE FROM directory_pushed WHERE source = $1 AND kind = $2 AND id = $3;

-- name: NamePushed :exec
UPDATE directory_pushed SET person_id = $4 WHERE source = $1 AND kind = $2 AND id = $3;

-- name: PushedOfPerson :many
SELECT * FROM directory_pushed WHERE person_id = $1 ORDER BY source, id;

-- name: TokensOfPerson :many
SELECT * FROM directory_tokens WHERE made_by = sqlc.arg(person) OR revoked_by = sqlc.arg(person) ORDER BY made_at;
