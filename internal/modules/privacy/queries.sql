-- Looks.

-- name: NoteLook :exec
INSERT INTO privacy_looks (id, person_id, agent_id, as_right, what, why, day, first_at, last_at, times)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, 1)
ON CONFLICT (person_id, agent_id, what, why, day) DO UPDATE SET last_at = excluded.last_at, times = privacy_looks.times + 1;

-- name: LooksAt :many
SELECT * FROM privacy_looks WHERE person_id = $1 ORDER BY last_at DESC, id DESC LIMIT sqlc.arg(size);

-- name: LooksBy :many
SELECT * FROM privacy_looks WHERE agent_id = $1 ORDER BY last_at DESC, id DESC LIMIT sqlc.arg(size);

-- name: ForgetLooks :execrows
DELETE FROM privacy_looks WHERE id IN (SELECT l.id FROM privacy_looks l WHERE l.last_at < $1 LIMIT 500);

-- Exports.

-- name: AddExport :execrows
INSERT INTO privacy_exports (id, person_id, state, asked_at, done, total, room, file_ref, size, ready_at, expires_at, fetched_at, fetches, reason)
VALUES ($1, $2, 'waiting', $3, 0, $4, '', '', 0, 0, 0, 0, 0, '')
ON CONFLICT DO NOTHING;

-- name: Export :one
SELECT * FROM privacy_exports WHERE id = $1;

-- name: ExportsOf :many
SELECT * FROM privacy_exports WHERE person_id = $1 ORDER BY asked_at DESC, id DESC LIMIT sqlc.arg(size);

-- name: CountExports :one
SELECT COUNT(*) FROM privacy_exports WHERE person_id = $1 AND asked_at > $2;

-- name: UnderWay :one
SELECT COUNT(*) FROM privacy_exports WHERE person_id = $1 AND state IN ('waiting', 'running');

-- name: MoveExport :execrows
UPDATE privacy_exports SET state = 'running', done = $2, total = $3, room = $4 WHERE id = $1 AND state IN ('waiting', 'running');

-- name: FinishExport :execrows
UPDATE privacy_exports SET state = 'ready', done = total, room = '', file_ref = $2, size = $3, ready_at = $4, expires_at = $5
WHERE id = $1 AND state = 'running';

-- name: FailExport :execrows
UPDATE privacy_exports SET state = 'failed', reason = $2 WHERE id = $1 AND state IN ('waiting', 'running');

-- name: FailStuck :execrows
UPDATE privacy_exports SET state = 'failed', reason = $2 WHERE state IN ('waiting', 'running') AND asked_at < $1;

-- name: CountFetch :exec
UPDATE privacy_exports SET fetched_at = $2, fetches = fetches + 1 WHERE id = $1;

-- name: OldExports :many
SELECT * FROM privacy_exports WHERE state = 'ready' AND expires_at <= $1 ORDER BY expires_at LIMIT 200;

-- name: DropExport :execrows
UPDATE privacy_exports SET state = 'gone', file_ref = '', reason = $2 WHERE id = $1 AND state = 'ready';

-- name: ForgetExports :execrows
DELETE FROM privacy_exports WHERE state IN ('gone', 'failed') AND asked_at < $1;

-- name: ExportFiles :many
SELECT file_ref FROM privacy_exports WHERE file_ref <> '';

-- name: FilesOf :many
SELECT id, file_ref FROM privacy_exports WHERE person_id = $1 AND file_ref <> '';

-- Requests.

-- name: NextNumber :one
UPDATE privacy_head SET number = number + 1 WHERE id = 1 RETURNING number;

-- name: AddRequest :exec
INSERT INTO privacy_requests (id, number, person_id, kind, state, words, asked_at, due_at, extended_at, extension, taken_by, taken_at, decided_by, decided_at, answer)
VALUES ($1, $2, $3, $4, 'open', $5, $6, $7, 0, '', '', 0, '', 0, '');

-- name: Request :one
SELECT * FROM privacy_requests WHERE id = $1;

-- name: RequestsOf :many
SELECT * FROM privacy_requests WHERE person_id = $1 ORDER BY asked_at DESC, id DESC LIMIT sqlc.arg(size);

-- name: OpenOfKind :one
SELECT COUNT(*) FROM privacy_requests WHERE person_id = $1 AND kind = $2 AND state IN ('open', 'asked', 'erasing');

-- name: OpenRequests :many
SELECT * FROM privacy_requests WHERE state IN ('open', 'asked', 'erasing') ORDER BY due_at, id LIMIT sqlc.arg(size) OFFSET sqlc.arg(skip);

-- name: EndedRequests :many
SELECT * FROM privacy_requests WHERE state IN ('done', 'refused', 'withdrawn') ORDER BY asked_at DESC, id DESC LIMIT sqlc.arg(size) OFFSET sqlc.arg(skip);

-- name: CountRequests :one
SELECT COUNT(*) FILTER (WHERE state IN ('open', 'asked', 'erasing')) AS open,
       COUNT(*) FILTER (WHERE state IN ('open', 'asked', 'erasing') AND due_at <= sqlc.arg(soon)) AS late,
       COUNT(*) FILTER (WHERE state NOT IN ('open', 'asked', 'erasing')) AS ended
FROM privacy_requests;

-- name: TakeRequest :execrows
UPDATE privacy_requests SET taken_by = $2, taken_at = $3 WHERE id = $1 AND taken_by = '' AND state IN ('open', 'asked');

-- name: MoveRequest :execrows
UPDATE privacy_requests SET state = sqlc.arg(new_state) WHERE id = $1 AND state = sqlc.arg(old_state);

-- name: ExtendRequest :execrows
UPDATE privacy_requests SET due_at = $2, extended_at = $3, extension = $4 WHERE id = $1 AND extended_at = 0 AND state IN ('open', 'asked');

-- name: DecideRequest :execrows
UPDATE privacy_requests SET state = $2, decided_by = $3, decided_at = $4, answer = $5 WHERE id = $1 AND state IN ('open', 'asked');

-- name: EndRequest :exec
UPDATE privacy_requests SET state = sqlc.arg(new_state), words = '' WHERE id = $1 AND state = 'erasing';

-- name: AddMessage :exec
INSERT INTO privacy_messages (id, request_id, author, author_id, words, said_at) VALUES ($1, $2, $3, $4, $5, $6);

-- name: Messages :many
SELECT * FROM privacy_messages WHERE request_id = $1 ORDER BY said_at, id;

-- name: MessagesOf :many
SELECT m.* FROM privacy_messages m JOIN privacy_requests r ON r.id = m.request_id WHERE r.person_id = $1 ORDER BY m.said_at, m.id;

-- name: CountMessages :one
SELECT COUNT(*) FROM privacy_messages WHERE request_id = $1;

-- Holds.

-- name: AddHold :exec
INSERT INTO privacy_holds (id, person_id, kind, room, reason, until_at, placed_by, placed_at, lifted_by, lifted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', 0);

-- name: Holds :many
SELECT * FROM privacy_holds ORDER BY lifted_at, placed_at DESC, id DESC LIMIT sqlc.arg(size) OFFSET sqlc.arg(skip);

-- name: CountHolds :one
SELECT COUNT(*) FROM privacy_holds;

-- name: HoldsOn :many
SELECT * FROM privacy_holds
WHERE lifted_at = 0 AND (until_at = 0 OR until_at > sqlc.arg(now)) AND (person_id = sqlc.arg(who) OR kind <> '')
ORDER BY placed_at;

-- name: HoldsOfPerson :many
SELECT * FROM privacy_holds WHERE person_id = $1 ORDER BY placed_at;

-- name: LiftHold :execrows
UPDATE privacy_holds SET lifted_by = $2, lifted_at = $3 WHERE id = $1 AND lifted_at = 0;

-- Erasures.

-- name: AddErasure :execrows
INSERT INTO privacy_erasures (id, person_id, sealed, cause, request_id, rule, state, kept, reason, proposed_at, ordered_by, ordered_at, ended_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', $9, $10, $11, 0)
ON CONFLICT DO NOTHING;

-- name: Erasure :one
SELECT * FROM privacy_erasures WHERE id = $1;

-- name: ErasureOfRequest :one
SELECT * FROM privacy_erasures WHERE request_id = $1 ORDER BY proposed_at DESC LIMIT 1;

-- name: ErasuresIn :many
SELECT * FROM privacy_erasures WHERE state = $1 ORDER BY proposed_at, id LIMIT sqlc.arg(size) OFFSET sqlc.arg(skip);

-- name: CountErasures :one
SELECT COUNT(*) FROM privacy_erasures WHERE state = $1;

-- name: ErasuresOf :many
SELECT * FROM privacy_erasures WHERE person_id = $1 ORDER BY proposed_at;

-- name: OrderErasure :execrows
UPDATE privacy_erasures SET state = 'waiting', ordered_by = $2, ordered_at = $3 WHERE id = $1 AND state = 'proposed';

-- name: DismissErasure :execrows
UPDATE privacy_erasures SET state = 'dismissed', ended_at = $2, reason = $3 WHERE id = $1 AND state = 'proposed';

-- name: BeginErasure :execrows
UPDATE privacy_erasures SET state = 'running' WHERE id = $1 AND state IN ('waiting', 'running');

-- name: StopErasure :execrows
UPDATE privacy_erasures SET state = 'stopped', reason = $2, ended_at = $3 WHERE id = $1 AND state IN ('waiting', 'running');

-- name: EndErasure :execrows
UPDATE privacy_erasures SET state = 'done', person_id = '', sealed = '', ended_at = $2 WHERE id = $1 AND state = 'running';

-- name: AddStep :exec
INSERT INTO privacy_steps (erasure_id, room, table_name, column_name, fate, row_count, why, done_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (erasure_id, room, table_name, column_name, fate) DO UPDATE SET row_count = privacy_steps.row_count + excluded.row_count, done_at = excluded.done_at;

-- name: SetStep :exec
INSERT INTO privacy_steps (erasure_id, room, table_name, column_name, fate, row_count, why, done_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (erasure_id, room, table_name, column_name, fate) DO UPDATE SET row_count = excluded.row_count, done_at = excluded.done_at;

-- name: Steps :many
SELECT * FROM privacy_steps WHERE erasure_id = $1 ORDER BY room, table_name, column_name, fate;

-- Proofs.

-- name: HoldHead :one
-- The row stays locked to the end of the transaction on PostgreSQL, so that proofs
-- follow one another.
UPDATE privacy_head SET seq = seq + 1 WHERE id = 1 RETURNING seq, hash;

-- name: SetHead :exec
UPDATE privacy_head SET hash = $1 WHERE id = 1;

-- name: Head :one
SELECT seq, hash FROM privacy_head WHERE id = 1;

-- name: AddProof :exec
INSERT INTO privacy_proofs (seq, erasure_id, proved_at, subject, facts, previous, hash) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: Proofs :many
SELECT * FROM privacy_proofs WHERE seq > $1 ORDER BY seq LIMIT sqlc.arg(size);

-- name: NewestProofs :many
SELECT * FROM privacy_proofs ORDER BY seq DESC LIMIT sqlc.arg(size) OFFSET sqlc.arg(skip);

-- name: ProofsOf :many
SELECT * FROM privacy_proofs WHERE subject = $1 ORDER BY seq;

-- name: ProofOf :one
SELECT * FROM privacy_proofs WHERE erasure_id = $1;

-- name: PutElsewhere :exec
INSERT INTO privacy_elsewhere (erasure_id, room, program, title, state, reason, since_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (erasure_id, room, program) DO UPDATE SET title = excluded.title, state = excluded.state, reason = excluded.reason, since_at = excluded.since_at;

-- name: ElsewhereOf :many
SELECT * FROM privacy_elsewhere WHERE erasure_id = $1 ORDER BY room, program;

-- name: OpenElsewhere :many
-- The erasures that programs have not confirmed yet, oldest first.
SELECT DISTINCT erasure_id FROM privacy_elsewhere WHERE state = 'asked' ORDER BY erasure_id LIMIT $1;

-- name: LeftElsewhere :many
SELECT * FROM privacy_elsewhere WHERE state = 'asked' ORDER BY since_at, erasure_id, program LIMIT $1;

-- name: CountElsewhere :one
SELECT COUNT(*) FROM privacy_elsewhere WHERE state = 'asked';
