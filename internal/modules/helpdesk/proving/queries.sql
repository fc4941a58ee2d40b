-- name: KeepDraft :exec
INSERT INTO helpdesk_begun (id, token_hash, purpose, sealed, made_at) VALUES (sqlc.arg(id), sqlc.arg(token_hash), sqlc.arg(purpose), sqlc.arg(sealed), sqlc.arg(made_at));

-- name: DraftByToken :one
SELECT * FROM helpdesk_begun WHERE token_hash = sqlc.arg(token_hash) AND made_at > sqlc.arg(since_at);

-- name: TakeDraft :execrows
DELETE FROM helpdesk_begun WHERE id = sqlc.arg(id);

-- name: ForgetDrafts :execrows
DELETE FROM helpdesk_begun WHERE made_at <= sqlc.arg(before_at);

-- name: NoteProof :execrows
INSERT INTO helpdesk_proofs (id, contact_key, network_key, sent_at) VALUES (sqlc.arg(id), sqlc.arg(contact_key), sqlc.arg(network_key), sqlc.arg(sent_at))
ON CONFLICT (id) DO NOTHING;

-- name: ProofsOfContact :one
SELECT COUNT(*) AS sent, CAST(COALESCE(MIN(sent_at), 0) AS BIGINT) AS oldest, CAST(COALESCE(MAX(sent_at), 0) AS BIGINT) AS newest FROM helpdesk_proofs WHERE contact_key = sqlc.arg(contact_key) AND sent_at > sqlc.arg(since_at);

-- name: ProofsOfNetwork :one
SELECT COUNT(*) AS sent, CAST(COALESCE(MIN(sent_at), 0) AS BIGINT) AS oldest FROM helpdesk_proofs WHERE network_key = sqlc.arg(network_key) AND sent_at > sqlc.arg(since_at);

-- name: ForgetProofs :execrows
DELETE FROM helpdesk_proofs WHERE sent_at <= sqlc.arg(before_at);
