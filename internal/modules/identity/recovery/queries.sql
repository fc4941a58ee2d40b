-- name: Open :execrows
INSERT INTO identity_supervised (id, person_id, opened_by, opened_at, words, incident, first_by, first_at, first_documents, first_in_person,
    second_by, second_at, second_documents, second_in_person, ready_at, link_hash, given_by, given_at, ended, ended_by, ended_at, ended_words)
VALUES ($1, $2, $3, $4, $5, $6, '', 0, '', FALSE, '', 0, '', FALSE, 0, '', '', 0, '', '', 0, '')
ON CONFLICT (person_id) WHERE ended = '' DO NOTHING;

-- name: ByID :one
SELECT * FROM identity_supervised WHERE id = $1;

-- name: ByLink :one
SELECT * FROM identity_supervised WHERE link_hash = $1 AND link_hash <> '' ORDER BY id LIMIT 1;

-- name: OpenOf :one
SELECT * FROM identity_supervised WHERE person_id = $1 AND ended = '';

-- name: Running :many
SELECT * FROM identity_supervised WHERE ended = '' ORDER BY opened_at, id LIMIT 200;

-- name: Over :many
SELECT * FROM identity_supervised WHERE ended <> '' ORDER BY ended_at DESC, id DESC LIMIT $1;

-- name: ApproveFirst :execrows
UPDATE identity_supervised
SET first_by = sqlc.arg(agent), first_at = sqlc.arg(now), first_documents = sqlc.arg(documents), first_in_person = sqlc.arg(in_person)
WHERE id = sqlc.arg(id) AND ended = '' AND first_by = '' AND person_id <> sqlc.arg(agent);

-- name: ApproveSecond :execrows
UPDATE identity_supervised
SET second_by = sqlc.arg(agent), second_at = sqlc.arg(now), second_documents = sqlc.arg(documents), second_in_person = sqlc.arg(in_person),
    ready_at = CASE WHEN first_in_person AND sqlc.arg(in_person) THEN CAST(sqlc.arg(ready_desk) AS BIGINT) ELSE CAST(sqlc.arg(ready_afar) AS BIGINT) END
WHERE id = sqlc.arg(id) AND ended = '' AND first_by <> '' AND first_by <> sqlc.arg(agent) AND second_by = '' AND person_id <> sqlc.arg(agent);

-- name: Give :execrows
UPDATE identity_supervised SET link_hash = $2, given_by = $3, given_at = $4
WHERE id = $1 AND ended = '' AND second_by <> '' AND ready_at <= $4 AND person_id <> $3;

-- name: Finish :execrows
UPDATE identity_supervised SET ended = 'done', ended_at = $3
WHERE id = $1 AND ended = '' AND link_hash = $2 AND second_by <> '' AND ready_at <= $3 AND given_at > 0;

-- name: Stop :execrows
UPDATE identity_supervised SET ended = sqlc.arg(how), ended_by = sqlc.arg(agent), ended_at = sqlc.arg(now), ended_words = sqlc.arg(words)
WHERE id = sqlc.arg(id) AND ended = '';

-- name: Lapsing :many
SELECT * FROM identity_supervised WHERE ended = '' AND opened_at < $1 ORDER BY id LIMIT 200;

-- name: ForExport :many
SELECT opened_at, words, incident, first_at, first_documents, first_in_person, second_at, second_documents, second_in_person, ready_at, given_at, ended, ended_at, ended_words
FROM identity_supervised WHERE person_id = $1 ORDER BY opened_at;

-- name: ForgetOld :execrows
DELETE FROM identity_supervised WHERE ended <> '' AND ended_at < $1;
