-- name: Begin :exec
INSERT INTO identity_activations (id, token_hash, person_id, invitation_id, point_id, started_at, sent_at, proved_at, finished_at, expires_at, address)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10);

-- name: BegunByToken :one
SELECT id, person_id, invitation_id, point_id, started_at, sent_at, proved_at, finished_at, expires_at
FROM identity_activations
WHERE token_hash = $1;

-- name: NoteSent :execrows
UPDATE identity_activations SET point_id = $2, sent_at = $3 WHERE id = $1 AND proved_at = 0;

-- name: NoteProved :execrows
UPDATE identity_activations SET proved_at = sqlc.arg(now) WHERE id = $1 AND proved_at = 0 AND finished_at = 0 AND expires_at > sqlc.arg(now);

-- name: Finish :execrows
UPDATE identity_activations SET finished_at = sqlc.arg(now) WHERE id = $1 AND proved_at > 0 AND finished_at = 0 AND expires_at > sqlc.arg(now);

-- name: AddLink :exec
INSERT INTO identity_activation_links (id, token_hash, activation_id, sent_at, used_at)
VALUES ($1, $2, $3, $4, 0);

-- name: LinkByToken :one
SELECT l.id AS link_id, l.used_at, a.id, a.person_id, a.invitation_id, a.point_id, a.proved_at, a.finished_at, a.expires_at
FROM identity_activation_links l
JOIN identity_activations a ON a.id = l.activation_id
WHERE l.token_hash = $1;

-- name: UseLink :execrows
UPDATE identity_activation_links SET used_at = $2 WHERE id = $1 AND used_at = 0;

-- name: ForgetActivations :execrows
DELETE FROM identity_activations WHERE expires_at < $1;

-- name: AddInvitation :exec
INSERT INTO identity_invitations (id, person_id, token_hash, code_hash, sent_to, invited_by, created_at, sent_at, letters, opened_at, used_at, withdrawn_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7, 1, 0, 0, 0, $8);

-- name: InvitationByID :one
SELECT id, person_id, sent_to, invited_by, created_at, sent_at, letters, opened_at, used_at, withdrawn_at, expires_at
FROM identity_invitations
WHERE id = $1;

-- name: InvitationBySecret :one
SELECT id, person_id, sent_to, invited_by, created_at, sent_at, letters, opened_at, used_at, withdrawn_at, expires_at
FROM identity_invitations
WHERE token_hash = $1 OR code_hash = $1;

-- name: OpenInvitationOf :one
SELECT id FROM identity_invitations
WHERE person_id = $1 AND used_at = 0 AND withdrawn_at = 0
ORDER BY created_at DESC, id DESC
LIMIT 1;

-- name: SendAgain :execrows
UPDATE identity_invitations
SET token_hash = $2, code_hash = $3, sent_to = $4, sent_at = $5, letters = letters + 1, opened_at = 0, expires_at = $6
WHERE id = $1 AND used_at = 0 AND withdrawn_at = 0;

-- name: NoteOpened :exec
UPDATE identity_invitations SET opened_at = $2 WHERE id = $1 AND opened_at = 0;

-- name: UseInvitation :execrows
UPDATE identity_invitations SET used_at = $2 WHERE id = $1 AND used_at = 0 AND withdrawn_at = 0;

-- name: WithdrawInvitation :execrows
UPDATE identity_invitations SET withdrawn_at = $2 WHERE id = $1 AND used_at = 0 AND withdrawn_at = 0;

-- name: ListInvitations :many
SELECT i.id, i.person_id, i.sent_to, i.created_at, i.sent_at, i.letters, i.opened_at, i.used_at, i.withdrawn_at, i.expires_at,
       p.login, p.given_name, p.family_name,
       CAST(COALESCE(TRIM(b.given_name || ' ' || b.family_name), '') AS TEXT) AS invited_by
FROM identity_invitations i
JOIN identity_people p ON p.id = i.person_id
LEFT JOIN identity_people b ON b.id = i.invited_by
WHERE (p.folded_name LIKE sqlc.arg(folded) OR p.login LIKE sqlc.arg(typed) OR p.mail LIKE sqlc.arg(typed) OR i.sent_to LIKE sqlc.arg(typed))
  AND (CAST(sqlc.arg(state) AS TEXT) = '' OR sqlc.arg(state) = CASE
         WHEN i.used_at > 0 THEN 'used' WHEN i.withdrawn_at > 0 THEN 'withdrawn' WHEN i.expires_at <= sqlc.arg(now) THEN 'expired'
         WHEN i.opened_at > 0 THEN 'opened' ELSE 'sent' END)
ORDER BY i.created_at DESC, i.id DESC
LIMIT sqlc.arg(size) OFFSET sqlc.arg(skip);

-- name: CountInvitations :one
SELECT COUNT(*)
FROM identity_invitations i
JOIN identity_people p ON p.id = i.person_id
WHERE (p.folded_name LIKE sqlc.arg(folded) OR p.login LIKE sqlc.arg(typed) OR p.mail LIKE sqlc.arg(typed) OR i.sent_to LIKE sqlc.arg(typed))
  AND (CAST(sqlc.arg(state) AS TEXT) = '' OR sqlc.arg(state) = CASE
         WHEN i.used_at > 0 THEN 'used' WHEN i.withdrawn_at > 0 THEN 'withdrawn' WHEN i.expires_at <= sqlc.arg(now) THEN 'expired'
         WHEN i.opened_at > 0 THEN 'opened' ELSE 'sent' END);

-- name: ForgetInvitations :execrows
DELETE FROM identity_invitations WHERE expires_at < $1;

-- name: ActivationsForExport :many
SELECT id, started_at, sent_at, proved_at, finished_at, expires_at, address FROM identity_activations WHERE person_id = $1 ORDER BY started_at, id;

-- name: LinksForExport :many
SELECT l.activation_id, l.sent_at, l.used_at
FROM identity_activation_links l
JOIN identity_activations a ON a.id = l.activation_id
WHERE a.person_id = $1
ORDER BY l.sent_at, l.id;

-- name: InvitationsForExport :many
SELECT sent_to, created_at, sent_at, letters, opened_at, used_at, withdrawn_at, expires_at FROM identity_invitations WHERE person_id = $1 ORDER BY created_at, id;
