-- name: NotePerson :exec
INSERT INTO provisioning_noted (person, mark, turn, noted_at) VALUES ($1, $2, 0, $3)
ON CONFLICT (person) DO UPDATE SET mark = excluded.mark, turn = 0;

-- name: NoteAgain :exec
-- Somebody who is to be looked at with everybody else; who is noted already comes sooner.
INSERT INTO provisioning_noted (person, mark, turn, noted_at) VALUES ($1, $2, 1, $3) ON CONFLICT (person) DO NOTHING;

-- name: Noted :many
SELECT person, mark, turn FROM provisioning_noted ORDER BY turn, noted_at, person LIMIT $1;

-- name: NotedSince :many
SELECT noted_at FROM provisioning_noted WHERE person = $1;

-- name: CountNoted :one
SELECT COUNT(*) FROM provisioning_noted;

-- name: TakeNoted :execrows
-- The one place where a note is taken: what changed meanwhile has another mark and stays.
DELETE FROM provisioning_noted WHERE person = $1 AND mark = $2;

-- name: Account :one
SELECT * FROM provisioning_accounts WHERE target_id = $1 AND person = $2;

-- name: PersonAccounts :many
SELECT * FROM provisioning_accounts WHERE person = $1 ORDER BY target_id;

-- name: PutAccount :exec
INSERT INTO provisioning_accounts (target_id, person, login, name, folded, state, since_at, verdict, todo, todo_order, due_at, attempts,
	reason, detail, other, settles_at, remote_id, sent, wanted, exchanged_at, version, found_id, adopt_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
ON CONFLICT (target_id, person) DO UPDATE SET login = excluded.login, name = excluded.name, folded = excluded.folded,
	state = excluded.state, since_at = excluded.since_at, verdict = excluded.verdict, todo = excluded.todo, todo_order = excluded.todo_order,
	due_at = excluded.due_at, attempts = excluded.attempts, reason = excluded.reason, detail = excluded.detail, other = excluded.other,
	settles_at = excluded.settles_at, remote_id = excluded.remote_id, sent = excluded.sent, wanted = excluded.wanted,
	exchanged_at = excluded.exchanged_at, version = excluded.version, found_id = excluded.found_id, adopt_id = excluded.adopt_id;

-- name: DueAccounts :many
-- What a worker does next. With closing false, nobody's account is closed. Who is being
-- erased is left to their removal.
SELECT * FROM provisioning_accounts a
WHERE a.target_id = sqlc.arg(target_id) AND a.todo <> '' AND a.due_at <= sqlc.arg(now_at) AND (a.todo = 'put' OR CAST(sqlc.arg(closing) AS BOOLEAN))
	AND NOT EXISTS (SELECT 1 FROM provisioning_removals r WHERE r.person = a.person AND r.target_id = a.target_id AND r.state = 'asked')
ORDER BY a.todo_order, a.due_at, a.person LIMIT sqlc.arg(most);

-- name: TargetsWithWork :many
SELECT a.target_id FROM provisioning_accounts a WHERE a.todo <> '' AND a.due_at <= $1
UNION SELECT r.target_id FROM provisioning_removals r WHERE r.state = 'asked' AND r.due_at <= $1
ORDER BY 1;

-- name: Ahead :one
-- How many come before a place in the queue.
SELECT COUNT(*) FROM provisioning_accounts
WHERE target_id = sqlc.arg(target_id) AND todo <> '' AND due_at <= sqlc.arg(now_at)
	AND (todo_order < sqlc.arg(todo_order) OR todo_order = sqlc.arg(todo_order) AND due_at < sqlc.arg(due_at));

-- name: CountDue :one
SELECT COUNT(*) FROM provisioning_accounts WHERE target_id = $1 AND todo <> '' AND due_at <= $2;

-- name: CountClosures :one
SELECT COUNT(*) FROM provisioning_accounts WHERE target_id = $1 AND todo IN ('suspend', 'delete') AND due_at <= $2;

-- name: Closing :many
SELECT * FROM provisioning_accounts WHERE target_id = $1 AND todo IN ('suspend', 'delete') AND due_at <= $2 ORDER BY due_at, person LIMIT $3;

-- name: CountOpen :one
-- How many accounts of a target exist, as far as we know.
SELECT COUNT(*) FROM provisioning_accounts WHERE target_id = $1 AND state IN ('ready', 'leaving') AND remote_id <> '';

-- name: CountClosed :one
SELECT COUNT(*) FROM provisioning_exchanges WHERE target_id = $1 AND act IN ('suspend', 'delete') AND reason = '' AND done_at > $2;

-- name: CountStates :many
SELECT target_id, state, COUNT(*) AS many FROM provisioning_accounts GROUP BY target_id, state;

-- name: CountReasons :many
SELECT reason, COUNT(*) AS many FROM provisioning_accounts WHERE target_id = $1 AND reason <> '' GROUP BY reason ORDER BY reason;

-- name: LedgerAfter :many
SELECT * FROM provisioning_accounts WHERE target_id = $1 AND person > $2 ORDER BY person LIMIT $3;

-- name: PeopleAfter :many
SELECT DISTINCT person FROM provisioning_accounts WHERE person > $1 ORDER BY person LIMIT $2;

-- name: AddTarget :exec
INSERT INTO provisioning_targets (target_id) VALUES ($1) ON CONFLICT (target_id) DO NOTHING;

-- name: Target :one
SELECT * FROM provisioning_targets WHERE target_id = $1;

-- name: Targets :many
SELECT * FROM provisioning_targets ORDER BY target_id;

-- name: SetSetting :exec
UPDATE provisioning_targets SET setting = $2 WHERE target_id = $1;

-- name: TakeLease :execrows
-- One worker has a target, whichever server it runs on.
UPDATE provisioning_targets SET lease = sqlc.arg(lease), lease_ends_at = sqlc.arg(ends_at)
WHERE target_id = sqlc.arg(target_id) AND (lease = sqlc.arg(lease) OR lease = '' OR lease_ends_at < sqlc.arg(now_at));

-- name: KeepLease :execrows
UPDATE provisioning_targets SET lease_ends_at = $3 WHERE target_id = $1 AND lease = $2;

-- name: GiveLease :exec
UPDATE provisioning_targets SET lease = '', lease_ends_at = 0 WHERE target_id = $1 AND lease = $2;

-- name: Pause :exec
UPDATE provisioning_targets SET paused_at = $2, paused_by = $3 WHERE target_id = $1;

-- name: OpenBreaker :execrows
-- Only the first failure opens it: the row count tells who raises the alarm.
UPDATE provisioning_targets SET opened_at = sqlc.arg(now_at), probe_at = sqlc.arg(probe_at), probes = 1
WHERE target_id = sqlc.arg(target_id) AND opened_at = 0;

-- name: ProbeLater :exec
UPDATE provisioning_targets SET probe_at = $2, probes = probes + 1 WHERE target_id = $1 AND opened_at <> 0;

-- name: CloseBreaker :execrows
UPDATE provisioning_targets SET opened_at = 0, probe_at = 0, probes = 0, reason = '', detail = '' WHERE target_id = $1 AND opened_at <> 0;

-- name: NoteFailure :exec
UPDATE provisioning_targets SET reason = $2, detail = $3, failed_at = $4 WHERE target_id = $1;

-- name: NotePace :exec
UPDATE provisioning_targets SET pace = $2, answered_at = $3 WHERE target_id = $1;

-- name: Brake :execrows
UPDATE provisioning_targets SET braked_at = $2 WHERE target_id = $1 AND braked_at = 0;

-- name: Unbrake :execrows
UPDATE provisioning_targets SET braked_at = 0, let_go = 0 WHERE target_id = $1 AND braked_at <> 0;

-- name: LetGo :exec
UPDATE provisioning_targets SET braked_at = 0, let_go = $2 WHERE target_id = $1;

-- name: LetOneGo :exec
UPDATE provisioning_targets SET let_go = let_go - 1 WHERE target_id = $1 AND let_go > 0;

-- name: SetReport :exec
UPDATE provisioning_targets SET compared_at = $2, report = $3 WHERE target_id = $1;

-- name: AddExchange :exec
INSERT INTO provisioning_exchanges (id, target_id, person, act, reason, detail, took, done_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: Exchanges :many
SELECT * FROM provisioning_exchanges WHERE target_id = $1 AND person = $2 ORDER BY done_at DESC, id DESC LIMIT $3;

-- name: PersonExchanges :many
SELECT * FROM provisioning_exchanges WHERE person = $1 ORDER BY done_at, id;

-- name: PruneExchanges :execrows
DELETE FROM provisioning_exchanges WHERE id IN (SELECT e.id FROM provisioning_exchanges e WHERE e.done_at < $1 LIMIT $2);

-- name: CountNotedAgain :one
-- How many are still to be looked at with everybody else.
SELECT COUNT(*) FROM provisioning_noted WHERE turn = 1;

-- name: AskRemoval :exec
INSERT INTO provisioning_removals (id, erasure, target_id, person, login, remote_id, state, due_at, asked_at)
VALUES ($1, $2, $3, $4, $5, $6, 'asked', $7, $8) ON CONFLICT (erasure, target_id) DO NOTHING;

-- name: RemovalsDue :many
-- A removal begins when the erasure has taken the line of the ledger away.
SELECT * FROM provisioning_removals r
WHERE r.target_id = sqlc.arg(target_id) AND r.state = 'asked' AND r.due_at <= sqlc.arg(now_at)
	AND NOT EXISTS (SELECT 1 FROM provisioning_accounts a WHERE a.target_id = r.target_id AND a.person = r.person)
ORDER BY r.due_at, r.id LIMIT sqlc.arg(most);

-- name: Removal :one
SELECT * FROM provisioning_removals WHERE id = $1;

-- name: RemovalsOf :many
SELECT * FROM provisioning_removals WHERE erasure = $1 ORDER BY target_id;

-- name: PersonRemovals :many
SELECT * FROM provisioning_removals WHERE person = $1 ORDER BY asked_at, target_id;

-- name: CountRemovalsOf :one
SELECT COUNT(*) FROM provisioning_removals WHERE target_id = $1 AND person = $2 AND state = 'asked';

-- name: OpenRemovals :many
SELECT * FROM provisioning_removals WHERE state = 'asked' ORDER BY asked_at, id LIMIT $1 OFFSET $2;

-- name: CountOpenRemovals :one
SELECT COUNT(*) FROM provisioning_removals WHERE state = 'asked';

-- name: CountOthersAt :one
-- How many other people have the same account of a service.
SELECT COUNT(*) FROM provisioning_accounts WHERE target_id = $1 AND remote_id = $2 AND person <> $3;

-- name: PutRemovalOff :exec
UPDATE provisioning_removals SET reason = $2, detail = $3, attempts = attempts + 1, due_at = $4 WHERE id = $1 AND state = 'asked';

-- name: EndRemoval :execrows
-- The one place where a removal ends; it forgets whose account it was.
UPDATE provisioning_removals SET state = $2, person = '', login = '', remote_id = '', reason = '', detail = '', ended_at = $3, ended_by = $4 WHERE id = $1 AND state = 'asked';

-- name: HurryRemoval :execrows
UPDATE provisioning_removals SET due_at = $2 WHERE id = $1 AND state = 'asked';
