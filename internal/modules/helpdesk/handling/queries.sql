-- name: KeepDraft :exec
INSERT INTO helpdesk_writing (ticket_id, agent_id, internal, body, begun_at, changed_at)
VALUES (sqlc.arg(ticket_id), sqlc.arg(agent_id), sqlc.arg(internal), sqlc.arg(body), sqlc.arg(now_at), sqlc.arg(now_at))
ON CONFLICT (ticket_id, agent_id) DO UPDATE SET internal = excluded.internal, body = excluded.body, changed_at = excluded.changed_at;

-- name: DropDraft :exec
DELETE FROM helpdesk_writing WHERE ticket_id = sqlc.arg(ticket_id) AND agent_id = sqlc.arg(agent_id);

-- name: Drafts :many
SELECT * FROM helpdesk_writing WHERE ticket_id = sqlc.arg(ticket_id) ORDER BY begun_at;

-- name: ForgetDrafts :exec
DELETE FROM helpdesk_writing WHERE changed_at < sqlc.arg(before_at);

-- name: Watch :exec
INSERT INTO helpdesk_watchers (ticket_id, person_id, since_at) VALUES (sqlc.arg(ticket_id), sqlc.arg(person_id), sqlc.arg(since_at)) ON CONFLICT (ticket_id, person_id) DO NOTHING;

-- name: Unwatch :exec
DELETE FROM helpdesk_watchers WHERE ticket_id = sqlc.arg(ticket_id) AND person_id = sqlc.arg(person_id);

-- name: Watchers :many
SELECT person_id FROM helpdesk_watchers WHERE ticket_id = sqlc.arg(ticket_id) ORDER BY since_at, person_id;

-- name: Link :exec
INSERT INTO helpdesk_links (ticket_id, other_id) VALUES (sqlc.arg(ticket_id), sqlc.arg(other_id)), (sqlc.arg(other_id), sqlc.arg(ticket_id)) ON CONFLICT (ticket_id, other_id) DO NOTHING;

-- name: Unlink :exec
DELETE FROM helpdesk_links WHERE (ticket_id = sqlc.arg(ticket_id) AND other_id = sqlc.arg(other_id)) OR (ticket_id = sqlc.arg(other_id) AND other_id = sqlc.arg(ticket_id));

-- name: Linked :many
SELECT other_id FROM helpdesk_links WHERE ticket_id = sqlc.arg(ticket_id) ORDER BY other_id;

-- name: MergedInto :many
SELECT id FROM helpdesk_tickets WHERE merged_into = sqlc.arg(other_id) ORDER BY id;

-- name: TicketsOfPhone :many
SELECT number FROM helpdesk_tickets WHERE requester_phone = sqlc.arg(requester_phone) ORDER BY opened_at DESC, id DESC LIMIT 10;

-- name: Templates :many
SELECT * FROM helpdesk_templates WHERE closed_at = 0 ORDER BY title_fr, id;

-- name: TemplateByID :one
SELECT * FROM helpdesk_templates WHERE id = sqlc.arg(id) AND closed_at = 0;

-- name: InsertTemplate :exec
INSERT INTO helpdesk_templates (id, title_fr, title_en, body_fr, body_en, changed_at, closed_at)
VALUES (sqlc.arg(id), sqlc.arg(title_fr), sqlc.arg(title_en), sqlc.arg(body_fr), sqlc.arg(body_en), sqlc.arg(changed_at), 0);

-- name: UpdateTemplate :execrows
UPDATE helpdesk_templates SET title_fr = sqlc.arg(title_fr), title_en = sqlc.arg(title_en), body_fr = sqlc.arg(body_fr), body_en = sqlc.arg(body_en), changed_at = sqlc.arg(changed_at)
WHERE id = sqlc.arg(id) AND closed_at = 0;

-- name: CloseTemplate :execrows
UPDATE helpdesk_templates SET closed_at = sqlc.arg(closed_at) WHERE id = sqlc.arg(id) AND closed_at = 0;

-- name: AskCallback :exec
INSERT INTO helpdesk_callbacks (ticket_id, phone, wished, due_at, done_at) VALUES (sqlc.arg(ticket_id), sqlc.arg(phone), sqlc.arg(wished), sqlc.arg(due_at), 0)
ON CONFLICT (ticket_id) DO UPDATE SET phone = excluded.phone, wished = excluded.wished, due_at = excluded.due_at, done_at = 0;

-- name: CallbackOf :one
SELECT * FROM helpdesk_callbacks WHERE ticket_id = sqlc.arg(ticket_id);

-- name: CalledBack :execrows
UPDATE helpdesk_callbacks SET done_at = sqlc.arg(done_at) WHERE ticket_id = sqlc.arg(ticket_id) AND done_at = 0;

-- name: OpenCallbacks :many
-- Calls to be made, those with a time first.
SELECT * FROM helpdesk_callbacks WHERE done_at = 0 ORDER BY CASE WHEN due_at = 0 THEN 1 ELSE 0 END, due_at, ticket_id LIMIT sqlc.arg(most);

-- name: KeepHabit :exec
INSERT INTO helpdesk_habits (agent_id, answer_takes) VALUES (sqlc.arg(agent_id), sqlc.arg(answer_takes))
ON CONFLICT (agent_id) DO UPDATE SET answer_takes = excluded.answer_takes WHERE helpdesk_habits.answer_takes <> excluded.answer_takes;

-- name: HabitOf :one
SELECT answer_takes FROM helpdesk_habits WHERE agent_id = sqlc.arg(agent_id);
