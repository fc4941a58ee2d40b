-- name: InsertTicket :exec
INSERT INTO helpdesk_tickets (id, number, state, priority, channel, subject, locale, requester_id, requester_name, requester_mail, requester_phone, proved_at, campus, area, service, reason, incident_code, leaf, queue_id, assignee_id, routed, outage_id, merged_into, split_from, opened_at, changed_at, answered_at, solved_at, closed_at, waiting_at, postponed_at, answer_due_at, solve_due_at, paused, escalated, reopened, spent, messages, last_by, rating, rating_words, rated_at, version, tags)
VALUES (sqlc.arg(id), sqlc.arg(number), sqlc.arg(state), sqlc.arg(priority), sqlc.arg(channel), sqlc.arg(subject), sqlc.arg(locale), sqlc.arg(requester_id), sqlc.arg(requester_name), sqlc.arg(requester_mail), sqlc.arg(requester_phone), sqlc.arg(proved_at), sqlc.arg(campus), sqlc.arg(area), sqlc.arg(service), sqlc.arg(reason), sqlc.arg(incident_code), sqlc.arg(leaf), sqlc.arg(queue_id), sqlc.arg(assignee_id), sqlc.arg(routed), sqlc.arg(outage_id), sqlc.arg(merged_into), sqlc.arg(split_from), sqlc.arg(opened_at), sqlc.arg(changed_at), sqlc.arg(answered_at), sqlc.arg(solved_at), sqlc.arg(closed_at), sqlc.arg(waiting_at), sqlc.arg(postponed_at), sqlc.arg(answer_due_at), sqlc.arg(solve_due_at), sqlc.arg(paused), sqlc.arg(escalated), sqlc.arg(reopened), sqlc.arg(spent), sqlc.arg(messages), sqlc.arg(last_by), sqlc.arg(rating), sqlc.arg(rating_words), sqlc.arg(rated_at), sqlc.arg(version), sqlc.arg(tags));

-- name: UpdateTicket :execrows
-- Every column, in the order of the table: the parameters are a row.
UPDATE helpdesk_tickets SET id = sqlc.arg(id), number = sqlc.arg(number), state = sqlc.arg(state), priority = sqlc.arg(priority), channel = sqlc.arg(channel), subject = sqlc.arg(subject), locale = sqlc.arg(locale), requester_id = sqlc.arg(requester_id), requester_name = sqlc.arg(requester_name), requester_mail = sqlc.arg(requester_mail), requester_phone = sqlc.arg(requester_phone), proved_at = sqlc.arg(proved_at), campus = sqlc.arg(campus), area = sqlc.arg(area), service = sqlc.arg(service), reason = sqlc.arg(reason), incident_code = sqlc.arg(incident_code), leaf = sqlc.arg(leaf), queue_id = sqlc.arg(queue_id), assignee_id = sqlc.arg(assignee_id), routed = sqlc.arg(routed), outage_id = sqlc.arg(outage_id), merged_into = sqlc.arg(merged_into), split_from = sqlc.arg(split_from), opened_at = sqlc.arg(opened_at), changed_at = sqlc.arg(changed_at), answered_at = sqlc.arg(answered_at), solved_at = sqlc.arg(solved_at), closed_at = sqlc.arg(closed_at), waiting_at = sqlc.arg(waiting_at), postponed_at = sqlc.arg(postponed_at), answer_due_at = sqlc.arg(answer_due_at), solve_due_at = sqlc.arg(solve_due_at), paused = sqlc.arg(paused), escalated = sqlc.arg(escalated), reopened = sqlc.arg(reopened), spent = sqlc.arg(spent), messages = sqlc.arg(messages), last_by = sqlc.arg(last_by), rating = sqlc.arg(rating), rating_words = sqlc.arg(rating_words), rated_at = sqlc.arg(rated_at), version = sqlc.arg(version), tags = sqlc.arg(tags)
WHERE id = sqlc.arg(id) AND version = CAST(sqlc.arg(version) AS BIGINT) - 1;

-- name: TicketByID :one
SELECT * FROM helpdesk_tickets WHERE id = sqlc.arg(id);

-- name: TicketByNumber :one
SELECT * FROM helpdesk_tickets WHERE number = sqlc.arg(number);

-- name: TicketsOf :many
SELECT * FROM helpdesk_tickets WHERE requester_id = sqlc.arg(requester_id) ORDER BY opened_at DESC, id DESC LIMIT sqlc.arg(most);

-- name: OpenTicketsOf :many
SELECT * FROM helpdesk_tickets WHERE requester_id = sqlc.arg(requester_id) AND state NOT IN ('solved', 'closed', 'merged') ORDER BY opened_at DESC, id DESC LIMIT sqlc.arg(most);

-- name: TicketsOfMail :many
SELECT * FROM helpdesk_tickets WHERE requester_mail = sqlc.arg(requester_mail) ORDER BY opened_at DESC, id DESC LIMIT sqlc.arg(most);

-- name: InsertMessage :exec
INSERT INTO helpdesk_messages (id, ticket_id, said_at, author, author_id, author_name, author_mail, channel, internal, body, folded, mail_id, redacted_at)
VALUES (sqlc.arg(id), sqlc.arg(ticket_id), sqlc.arg(said_at), sqlc.arg(author), sqlc.arg(author_id), sqlc.arg(author_name), sqlc.arg(author_mail), sqlc.arg(channel), sqlc.arg(internal), sqlc.arg(body), sqlc.arg(folded), sqlc.arg(mail_id), 0);

-- name: InsertAttachment :exec
INSERT INTO helpdesk_attachments (id, ticket_id, message_id, name, media_type, size, file_ref, refused)
VALUES (sqlc.arg(id), sqlc.arg(ticket_id), sqlc.arg(message_id), sqlc.arg(name), sqlc.arg(media_type), sqlc.arg(size), sqlc.arg(file_ref), sqlc.arg(refused));

-- name: InsertEvent :exec
INSERT INTO helpdesk_events (id, ticket_id, happened_at, actor, actor_id, kind, facts)
VALUES (sqlc.arg(id), sqlc.arg(ticket_id), sqlc.arg(happened_at), sqlc.arg(actor), sqlc.arg(actor_id), sqlc.arg(kind), sqlc.arg(facts));

-- name: InsertFact :exec
INSERT INTO helpdesk_facts (ticket_id, position, label, content) VALUES (sqlc.arg(ticket_id), sqlc.arg(position), sqlc.arg(label), sqlc.arg(content));

-- name: Messages :many
SELECT * FROM helpdesk_messages WHERE ticket_id = sqlc.arg(ticket_id) ORDER BY said_at, id;

-- name: Attachments :many
SELECT * FROM helpdesk_attachments WHERE ticket_id = sqlc.arg(ticket_id) ORDER BY message_id, id;

-- name: AttachmentByID :one
SELECT * FROM helpdesk_attachments WHERE ticket_id = sqlc.arg(ticket_id) AND id = sqlc.arg(id);

-- name: Events :many
SELECT * FROM helpdesk_events WHERE ticket_id = sqlc.arg(ticket_id) ORDER BY happened_at, id;

-- name: Facts :many
SELECT * FROM helpdesk_facts WHERE ticket_id = sqlc.arg(ticket_id) ORDER BY position;

-- name: NumberTaken :one
SELECT COUNT(*) FROM helpdesk_tickets WHERE number = sqlc.arg(taken);

-- name: Queues :many
SELECT * FROM helpdesk_queues ORDER BY team, campus, id;

-- name: QueueByID :one
SELECT * FROM helpdesk_queues WHERE id = sqlc.arg(id);

-- name: InsertQueue :exec
INSERT INTO helpdesk_queues (id, team, campus, name_fr, name_en, mail, calendar_id, closed_at)
VALUES (sqlc.arg(id), sqlc.arg(team), sqlc.arg(campus), sqlc.arg(name_fr), sqlc.arg(name_en), sqlc.arg(mail), sqlc.arg(calendar_id), sqlc.arg(closed_at));

-- name: UpdateQueue :execrows
UPDATE helpdesk_queues SET team = sqlc.arg(team), campus = sqlc.arg(campus), name_fr = sqlc.arg(name_fr), name_en = sqlc.arg(name_en), mail = sqlc.arg(mail), calendar_id = sqlc.arg(calendar_id), closed_at = sqlc.arg(closed_at)
WHERE id = sqlc.arg(id);

-- name: RedactMessage :execrows
UPDATE helpdesk_messages SET body = sqlc.arg(body), folded = '', redacted_at = sqlc.arg(redacted_at) WHERE ticket_id = sqlc.arg(ticket_id) AND id = sqlc.arg(id);

-- name: RedactAttachment :execrows
UPDATE helpdesk_attachments SET name = '', media_type = '', size = 0, file_ref = '', refused = sqlc.arg(refused) WHERE ticket_id = sqlc.arg(ticket_id) AND id = sqlc.arg(id);

-- name: Members :many
SELECT person_id FROM helpdesk_members WHERE queue_id = sqlc.arg(queue_id) ORDER BY person_id;

-- name: Join :execrows
INSERT INTO helpdesk_members (queue_id, person_id) VALUES (sqlc.arg(queue_id), sqlc.arg(person_id)) ON CONFLICT DO NOTHING;

-- name: Leave :execrows
DELETE FROM helpdesk_members WHERE queue_id = sqlc.arg(queue_id) AND person_id = sqlc.arg(person_id);

-- name: TicketByMailID :one
SELECT t.* FROM helpdesk_tickets t JOIN helpdesk_messages m ON m.ticket_id = t.id WHERE m.mail_id = sqlc.arg(mail_id) ORDER BY m.said_at DESC LIMIT 1;

-- name: MailIDs :many
SELECT mail_id FROM helpdesk_messages WHERE ticket_id = sqlc.arg(ticket_id) AND mail_id <> '' AND internal = 0 ORDER BY said_at, id;

-- name: NameMail :exec
UPDATE helpdesk_messages SET mail_id = sqlc.arg(mail_id) WHERE id = sqlc.arg(id);

-- name: DropTags :exec
DELETE FROM helpdesk_tags WHERE ticket_id = sqlc.arg(ticket_id);

-- name: AddTag :exec
INSERT INTO helpdesk_tags (tag, ticket_id) VALUES (sqlc.arg(tag), sqlc.arg(ticket_id)) ON CONFLICT DO NOTHING;
