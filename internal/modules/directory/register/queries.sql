-- name: RecordMarks :many
-- The digests of a source, in pieces, without what it says.
SELECT kind, source_key, digest, gone_at FROM directory_records
WHERE source = sqlc.arg(source) AND (kind > sqlc.arg(after_kind) OR (kind = sqlc.arg(after_kind) AND source_key > sqlc.arg(after_key)))
ORDER BY kind, source_key
LIMIT 20000;

-- name: UpsertRecord :exec
INSERT INTO directory_records (source, kind, source_key, person_id, employee_number, said, since, digest, place, first_at, changed_at, brought, floor, gone_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0)
ON CONFLICT (source, kind, source_key) DO UPDATE SET person_id = excluded.person_id, employee_number = excluded.employee_number, said = excluded.said,
    since = excluded.since, digest = excluded.digest, place = excluded.place, changed_at = excluded.changed_at, brought = excluded.brought, floor = excluded.floor, gone_at = 0;

-- name: MarkGone :execrows
UPDATE directory_records SET gone_at = sqlc.arg(gone_at), digest = '' WHERE source = sqlc.arg(source) AND kind = sqlc.arg(kind) AND source_key = sqlc.arg(source_key) AND gone_at = 0;

-- name: CountLive :one
SELECT COUNT(*) FROM directory_records WHERE source = $1 AND kind = 'person' AND gone_at = 0;

-- name: AddAlias :exec
INSERT INTO directory_aliases (source, name, kind, source_key, person_id) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (source, name) DO UPDATE SET kind = excluded.kind, source_key = excluded.source_key, person_id = excluded.person_id;

-- name: DropAliases :exec
DELETE FROM directory_aliases WHERE source = $1 AND kind = $2 AND source_key = $3;

-- name: SourceByID :one
SELECT * FROM directory_sources WHERE id = $1;

-- name: NoteSource :exec
INSERT INTO directory_sources (id, position, full_at, asked_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET position = excluded.position, full_at = CASE WHEN excluded.full_at > 0 THEN excluded.full_at ELSE directory_sources.full_at END, asked_at = excluded.asked_at;

-- name: AskedSource :exec
INSERT INTO directory_sources (id, position, full_at, asked_at) VALUES ($1, '', 0, $2)
ON CONFLICT (id) DO UPDATE SET asked_at = excluded.asked_at;

-- name: MakeLease :exec
INSERT INTO directory_lease (slot, token, until_at) VALUES ('run', '', 0) ON CONFLICT DO NOTHING;

-- name: TakeLease :execrows
UPDATE directory_lease SET token = sqlc.arg(holder), until_at = sqlc.arg(until_at)
WHERE slot = 'run' AND (until_at < sqlc.arg(now) OR token = sqlc.arg(holder));

-- name: GiveLease :exec
UPDATE directory_lease SET token = '', until_at = 0 WHERE slot = 'run' AND token = $1;

-- name: AddRun :exec
INSERT INTO directory_runs (id, source, mode, state, asked_by, dry, complete, position, read_count, unchanged, creations, changes, departures, conflicts, refusals, planned, applied, reason, args, released_by, started_at, beat_at, ended_at)
VALUES ($1, $2, $3, $4, $5, $6, FALSE, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, '', '', '', $7, $7, 0);

-- name: RunByID :one
SELECT * FROM directory_runs WHERE id = $1;

-- name: BeatRun :execrows
UPDATE directory_runs SET read_count = $2, unchanged = $3, beat_at = $4 WHERE id = $1 AND state = 'reading';

-- name: PlanRun :execrows
UPDATE directory_runs SET state = $2, complete = $3, position = $4, read_count = $5, unchanged = $6, creations = $7, changes = $8, departures = $9,
    conflicts = $10, refusals = $11, planned = $12, reason = $13, args = $14, beat_at = $15, ended_at = $16
WHERE id = $1 AND state = 'reading';

-- name: EndRun :execrows
UPDATE directory_runs SET state = sqlc.arg(state), reason = sqlc.arg(reason), args = sqlc.arg(args), ended_at = sqlc.arg(ended_at)
WHERE id = sqlc.arg(id) AND state IN ('reading', 'applying');

-- name: ReleaseRun :execrows
UPDATE directory_runs SET state = 'applying', released_by = $2, beat_at = $3, ended_at = 0 WHERE id = $1 AND state = 'held';

-- name: DropRun :execrows
UPDATE directory_runs SET state = 'superseded', released_by = $2, ended_at = $3 WHERE id = $1 AND state = 'held';

-- name: SupersedeRuns :exec
UPDATE directory_runs SET state = 'superseded', ended_at = sqlc.arg(now)
WHERE source = sqlc.arg(source) AND id <> sqlc.arg(id) AND state IN ('reading', 'held') AND mode <> 'push';

-- name: HalfWritten :many
SELECT id FROM directory_runs WHERE source = $1 AND state = 'applying' AND mode <> 'push' ORDER BY started_at;

-- name: ProgressRun :exec
UPDATE directory_runs SET applied = applied + sqlc.arg(applied), creations = creations + sqlc.arg(creations), changes = changes + sqlc.arg(changes), departures = departures + sqlc.arg(departures),
    conflicts = conflicts + sqlc.arg(conflicts), refusals = refusals + sqlc.arg(refusals), beat_at = sqlc.arg(beat_at)
WHERE id = sqlc.arg(id);

-- name: GrowRun :exec
UPDATE directory_runs SET read_count = read_count + sqlc.arg(read_count), planned = planned + sqlc.arg(planned), ended_at = sqlc.arg(ended_at) WHERE id = sqlc.arg(id);

-- name: OpenPush :one
SELECT id, CAST((SELECT COALESCE(MAX(c.seq), 0) FROM directory_changes c WHERE c.run_id = r.id) AS BIGINT) AS last_seq
FROM directory_runs r WHERE r.source = $1 AND r.mode = 'push' AND r.started_at > $2 ORDER BY r.started_at DESC LIMIT 1;

-- name: UnfinishedRuns :many
SELECT * FROM directory_runs WHERE state IN ('reading', 'applying') AND mode <> 'push' AND beat_at < $1 ORDER BY started_at LIMIT 20;

-- name: LastRuns :many
SELECT * FROM directory_runs r WHERE r.id IN (SELECT MAX(o.id) FROM directory_runs o WHERE NOT o.dry GROUP BY o.source) ORDER BY r.source;

-- name: CountRuns :one
SELECT COUNT(*) FROM directory_runs WHERE (source = sqlc.arg(source) OR sqlc.arg(source) = '');

-- name: Runs :many
SELECT * FROM directory_runs WHERE (source = sqlc.arg(source) OR sqlc.arg(source) = '') ORDER BY started_at DESC, id DESC LIMIT sqlc.arg(count) OFFSET sqlc.arg(skip);

-- name: HeldRuns :many
SELECT * FROM directory_runs WHERE state = 'held' ORDER BY started_at DESC LIMIT 50;

-- name: PlannedChanges :many
SELECT * FROM directory_changes WHERE run_id = $1 AND seq > $2 AND state = 'planned' ORDER BY seq LIMIT $3;

-- name: SettleChange :exec
UPDATE directory_changes SET kind = $3, state = $4, person_id = $5, detail = $6, reason = $7, args = $8, said = '' WHERE run_id = $1 AND seq = $2;

-- name: PruneRuns :execrows
DELETE FROM directory_runs WHERE id IN (SELECT o.id FROM directory_runs o WHERE o.ended_at > 0 AND o.ended_at < $1 ORDER BY o.ended_at LIMIT 2);

-- name: OpenConflict :exec
INSERT INTO directory_conflicts (id, source, source_key, kind, args, people, name, folded, place, said, opened_at, seen_at, closed_at, decision, decided_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, 0, '', '')
ON CONFLICT (source, source_key) WHERE closed_at = 0 DO UPDATE SET kind = excluded.kind, args = excluded.args, people = excluded.people, name = excluded.name,
    folded = excluded.folded, place = excluded.place, said = excluded.said, seen_at = excluded.seen_at;

-- name: CloseConflict :exec
UPDATE directory_conflicts SET closed_at = $3 WHERE source = $1 AND source_key = $2 AND closed_at = 0;

-- name: DecideConflict :execrows
UPDATE directory_conflicts SET closed_at = $2, decision = $3, decided_by = $4 WHERE id = $1 AND closed_at = 0;

-- name: ConflictByID :one
SELECT * FROM directory_conflicts WHERE id = $1;

-- name: CountOpenConflicts :one
SELECT COUNT(*) FROM directory_conflicts WHERE closed_at = 0;

-- name: SetVerdict :exec
INSERT INTO directory_verdicts (source, source_key, verdict, person_id, decided_by, decided_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (source, source_key) DO UPDATE SET verdict = excluded.verdict, person_id = excluded.person_id, decided_by = excluded.decided_by, decided_at = excluded.decided_at;

-- name: SetPin :exec
INSERT INTO directory_pins (person_id, field, source, pinned_by, pinned_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (person_id, field) DO UPDATE SET source = excluded.source, pinned_by = excluded.pinned_by, pinned_at = excluded.pinned_at;

-- name: DropPin :exec
DELETE FROM directory_pins WHERE person_id = $1 AND field = $2;

-- name: GiveName :execrows
INSERT INTO directory_names (kind, name, person_id, given_at) VALUES ($1, $2, $3, $4) ON CONFLICT (kind, name) DO NOTHING;


-- name: PushedDepartures :one
SELECT CAST(COALESCE(SUM(departures), 0) AS BIGINT) FROM directory_runs WHERE source = $1 AND mode = 'push' AND started_at > $2;

-- name: LockSource :exec
-- Whoever counts what a source did waits for the others that do.
UPDATE directory_sources SET asked_at = asked_at WHERE id = $1;

-- name: Spend :exec
INSERT INTO directory_spent (source, budget, minute_at, changes) VALUES ($1, $2, $3, 1)
ON CONFLICT (source, budget, minute_at) DO UPDATE SET changes = directory_spent.changes + 1;

-- name: Spent :one
SELECT CAST(COALESCE(SUM(changes), 0) AS BIGINT) FROM directory_spent WHERE source = $1 AND budget = $2 AND minute_at > $3;

-- name: ForgetSpent :exec
DELETE FROM directory_spent WHERE minute_at < $1;

-- name: Granted :one
SELECT COUNT(*) FROM directory_passes WHERE source = $1 AND budget = $2 AND until_at > $3;

-- name: Grant :exec
INSERT INTO directory_passes (source, budget, granted_by, granted_at, until_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (source, budget) DO UPDATE SET granted_by = excluded.granted_by, granted_at = excluded.granted_at, until_at = excluded.until_at;

-- name: OpenConflictsOfKind :many
SELECT id FROM directory_conflicts WHERE closed_at = 0 AND source = $1 AND kind = $2 AND id > sqlc.arg(after) ORDER BY id LIMIT 100;

-- name: CountConflictsOfKind :one
SELECT COUNT(*) FROM directory_conflicts WHERE closed_at = 0 AND source = $1 AND kind = $2;

-- name: KindOfConflict :many
SELECT kind FROM directory_conflicts WHERE closed_at = 0 AND source = $1 AND source_key = $2;

-- name: HeldBySource :many
SELECT source, COUNT(*) AS records FROM directory_conflicts WHERE closed_at = 0 AND kind = $1 GROUP BY source ORDER BY source;
