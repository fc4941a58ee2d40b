-- name: Keep :execrows
INSERT INTO helpdesk_mails (id, received_at, via, envelope_from, envelope_to, same_key, size, file_ref, state, outcome, from_mail, subject, ticket_id, read_at)
VALUES (sqlc.arg(id), sqlc.arg(received_at), sqlc.arg(via), sqlc.arg(envelope_from), sqlc.arg(envelope_to), sqlc.arg(same_key), sqlc.arg(size), sqlc.arg(file_ref), 'waiting', '', '', '', '', 0)
ON CONFLICT (same_key) DO NOTHING;

-- name: Mail :one
SELECT * FROM helpdesk_mails WHERE id = sqlc.arg(id);

-- name: Settle :execrows
UPDATE helpdesk_mails SET state = sqlc.arg(state), outcome = sqlc.arg(outcome), from_mail = sqlc.arg(from_mail), subject = sqlc.arg(subject), ticket_id = sqlc.arg(ticket_id), read_at = sqlc.arg(read_at)
WHERE id = sqlc.arg(id) AND state = 'waiting';

-- name: OpenedBy :one
SELECT COUNT(*) FROM helpdesk_mails WHERE from_mail = sqlc.arg(from_mail) AND read_at > sqlc.arg(since_at) AND outcome = 'opened';

-- name: Answered :one
SELECT COUNT(*) FROM helpdesk_mail_answers WHERE mail = sqlc.arg(mail) AND answered_at > sqlc.arg(since_at);

-- name: NoteAnswer :exec
INSERT INTO helpdesk_mail_answers (id, mail, answered_at) VALUES (sqlc.arg(id), sqlc.arg(mail), sqlc.arg(answered_at));

-- name: ForgetAnswers :execrows
DELETE FROM helpdesk_mail_answers WHERE answered_at < sqlc.arg(before_at);

-- name: Old :many
SELECT id, file_ref FROM helpdesk_mails WHERE received_at < sqlc.arg(before_at) AND state <> 'waiting' ORDER BY received_at LIMIT 200;

-- name: Forget :exec
DELETE FROM helpdesk_mails WHERE id = sqlc.arg(id);

-- name: Recent :many
SELECT * FROM helpdesk_mails WHERE received_at < sqlc.arg(before_at) ORDER BY received_at DESC, id DESC LIMIT sqlc.arg(most);

-- name: Stuck :one
SELECT COUNT(*) FROM helpdesk_mails WHERE received_at < sqlc.arg(before_at) AND state = 'waiting';
