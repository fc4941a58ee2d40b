-- name: Keep :execrows
INSERT INTO helpdesk_mails (id, received_at, via, envelope_from, envelope_to, same_key, size, file_ref, state, outcome, from_mail, subject, ticket_id, read_at)
VALUES (sqlc.arg(id), sqlc.arg(received_at), sqlc.arg(via), sqlc.arg(envelope_from), sqlc.arg(envelope_to), sqlc.arg(same_key), sqlc.arg(size), sqlc.arg(file_ref), 'waiting', '', '', '', '', 0)
ON CONFLICT (same_key) DO NOTHING;

-- name: KeepNotice :execrows
INSERT INTO helpdesk_mails (id, received_at, via, envelope_from, envelope_to, same_key, size, file_ref, state, outcome, from_mail, subject, ticket_id, read_at)
VALUES (sqlc.arg(id), sqlc.arg(received_at), sqlc.arg(via), '', sqlc.arg(envelope_to), sqlc.arg(same_key), sqlc.arg(size), '', 'done', sqlc.arg(outcome), sqlc.arg(from_mail), sqlc.arg(subject), '', sqlc.arg(received_at))
ON CONFLICT (same_key) DO NOTHING;

-- name: Mail :one
SELECT * FROM helpdesk_mails WHERE id = sqlc.arg(id);

-- name: Settle :execrows
UPDATE helpdesk_mails SET state = 'done', problem = '', outcome = sqlc.arg(outcome), from_mail = sqlc.arg(from_mail), subject = sqlc.arg(subject),
    message_id = sqlc.arg(message_id), ticket_id = sqlc.arg(ticket_id), read_at = sqlc.arg(read_at)
WHERE id = sqlc.arg(id) AND state = 'waiting';

-- name: Resettle :execrows
UPDATE helpdesk_mails SET outcome = sqlc.arg(outcome), ticket_id = sqlc.arg(ticket_id), read_at = sqlc.arg(read_at)
WHERE id = sqlc.arg(id) AND state = 'done' AND ticket_id = '';

-- name: NoteProblem :exec
UPDATE helpdesk_mails SET problem = sqlc.arg(problem) WHERE id = sqlc.arg(id) AND state = 'waiting';

-- name: OpenedBy :one
SELECT COUNT(*) FROM helpdesk_mails WHERE from_mail = sqlc.arg(from_mail) AND read_at > sqlc.arg(since_at) AND outcome = 'opened';

-- name: Twin :many
SELECT ticket_id FROM helpdesk_mails
WHERE message_id = sqlc.arg(message_id) AND from_mail = sqlc.arg(from_mail) AND subject = sqlc.arg(subject) AND read_at > sqlc.arg(since_at) AND outcome IN ('opened', 'followed') LIMIT 1;

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

-- name: Tally :many
SELECT state, outcome, COUNT(*) AS mails FROM helpdesk_mails GROUP BY state, outcome;

-- name: Page :many
SELECT * FROM helpdesk_mails
WHERE (CAST(sqlc.arg(outcome) AS TEXT) = '' OR outcome = CAST(sqlc.arg(outcome) AS TEXT)) AND (CAST(sqlc.arg(state) AS TEXT) = '' OR state = CAST(sqlc.arg(state) AS TEXT))
ORDER BY received_at DESC, id DESC LIMIT sqlc.arg(most) OFFSET sqlc.arg(skip);

-- name: Stuck :one
SELECT COUNT(*) FROM helpdesk_mails WHERE received_at < sqlc.arg(before_at) AND state = 'waiting';

-- name: FilesOf :many
SELECT m.id, m.file_ref FROM helpdesk_mails m
WHERE m.file_ref <> '' AND m.id > sqlc.arg(after_id)
  AND (m.from_mail = sqlc.arg(mail) OR m.envelope_from = sqlc.arg(mail) OR m.ticket_id IN (SELECT t.id FROM helpdesk_tickets t WHERE t.requester_id = sqlc.arg(requester_id)))
ORDER BY m.id LIMIT 200;
