-- name: AddSignal :exec
-- A try that goes on replaces what was noted of it before.
INSERT INTO identity_signals (id, person_id, kind, identifier, network, place, country, device_id, outcome, reason, proved, fired, judged, score, incident, noted_at)
VALUES (sqlc.arg(id), sqlc.arg(person_id), sqlc.arg(kind), sqlc.arg(identifier), sqlc.arg(network), sqlc.arg(place), sqlc.arg(country),
        sqlc.arg(device_id), sqlc.arg(outcome), sqlc.arg(reason), sqlc.arg(proved), sqlc.arg(fired), sqlc.arg(judged), sqlc.arg(score),
        sqlc.arg(incident), sqlc.arg(noted_at))
ON CONFLICT (id) DO UPDATE SET
    outcome = excluded.outcome, reason = excluded.reason, proved = excluded.proved, noted_at = excluded.noted_at;

-- name: BrowserOfSignal :one
SELECT device_id FROM identity_signals WHERE id = sqlc.arg(id);

-- name: PastOf :many
-- The sign-ins of somebody that succeeded, newest first.
SELECT network, place, noted_at FROM identity_signals
WHERE person_id = sqlc.arg(person_id) AND outcome = 'in' AND noted_at >= sqlc.arg(since_at)
ORDER BY noted_at DESC
LIMIT 200;

-- name: FailuresOf :one
-- Wrong passwords at one account, from elsewhere than its owner's browsers.
SELECT COUNT(CASE WHEN noted_at >= sqlc.arg(recent_at) THEN 1 END) AS failures, COUNT(DISTINCT network) AS networks
FROM identity_signals
WHERE person_id = sqlc.arg(person_id) AND outcome = 'refused' AND device_id = '' AND reason <> sqlc.arg(old_password)
  AND noted_at >= sqlc.arg(since_at);

-- name: OldPasswordsOf :one
SELECT COUNT(*) FROM identity_signals
WHERE person_id = sqlc.arg(person_id) AND outcome = 'refused' AND reason = sqlc.arg(old_password) AND noted_at >= sqlc.arg(since_at);

-- name: ForgetSignals :execrows
DELETE FROM identity_signals WHERE noted_at < sqlc.arg(before_at);

-- name: Strike :one
-- One failure more. Parallel ones wait for each other here, so that none is lost.
INSERT INTO identity_strikes (subject, browser, failures, step, changed_at)
VALUES (sqlc.arg(subject), sqlc.arg(browser), 1, 0, sqlc.arg(now_at))
ON CONFLICT (subject, browser) DO UPDATE SET
    failures = CASE WHEN identity_strikes.changed_at < sqlc.arg(stale_at) THEN 1 ELSE identity_strikes.failures + 1 END,
    step = CASE WHEN identity_strikes.changed_at < sqlc.arg(stale_at) THEN 0 ELSE identity_strikes.step END,
    changed_at = sqlc.arg(now_at)
RETURNING failures, step;

-- name: NextStep :exec
INSERT INTO identity_strikes (subject, browser, failures, step, changed_at)
VALUES (sqlc.arg(subject), sqlc.arg(browser), 0, 1, sqlc.arg(now_at))
ON CONFLICT (subject, browser) DO UPDATE SET failures = 0, step = identity_strikes.step + 1, changed_at = sqlc.arg(now_at);

-- name: StepOf :one
SELECT step FROM identity_strikes
WHERE subject = sqlc.arg(subject) AND browser = sqlc.arg(browser) AND changed_at >= sqlc.arg(stale_at);

-- name: ClearStrikes :exec
DELETE FROM identity_strikes WHERE subject = sqlc.arg(subject) AND browser = sqlc.arg(browser);

-- name: ForgetStrikes :execrows
DELETE FROM identity_strikes WHERE changed_at < sqlc.arg(before_at);

-- name: OpenLock :exec
INSERT INTO identity_locks (id, subject, browser, cause, findings, since_at, until_at, lifted_at, lifted_by, how, told_at, key_hash, key_until_at)
VALUES (sqlc.arg(id), sqlc.arg(subject), sqlc.arg(browser), sqlc.arg(cause), sqlc.arg(findings), sqlc.arg(since_at), sqlc.arg(until_at), 0, '', '', 0, '', 0);

-- name: ExtendLock :execrows
UPDATE identity_locks SET until_at = sqlc.arg(until_at)
WHERE id = sqlc.arg(id) AND lifted_at = 0 AND until_at < sqlc.arg(until_at);

-- name: LockOf :one
SELECT id, subject, browser, cause, findings, since_at, until_at, lifted_at, lifted_by, how, told_at
FROM identity_locks
WHERE subject = sqlc.arg(subject) AND browser = sqlc.arg(browser) AND lifted_at = 0 AND until_at > sqlc.arg(now_at)
ORDER BY until_at DESC, id
LIMIT 1;

-- name: LockByID :one
SELECT id, subject, browser, cause, findings, since_at, until_at, lifted_at, lifted_by, how, told_at
FROM identity_locks WHERE id = sqlc.arg(id);

-- name: LockByKey :one
SELECT id, subject, browser, cause, findings, since_at, until_at, lifted_at, lifted_by, how, told_at
FROM identity_locks
WHERE key_hash = sqlc.arg(key_hash) AND key_hash <> '' AND key_until_at > sqlc.arg(now_at)
LIMIT 1;

-- name: LocksOf :many
-- The latest locks of somebody, for their owner and the help desk.
SELECT id, subject, browser, cause, findings, since_at, until_at, lifted_at, lifted_by, how, told_at
FROM identity_locks
WHERE subject = sqlc.arg(subject)
ORDER BY since_at DESC, id DESC
LIMIT 20;

-- name: LastTold :one
SELECT told_at FROM identity_locks
WHERE subject = sqlc.arg(subject) AND browser = sqlc.arg(browser)
ORDER BY told_at DESC
LIMIT 1;

-- name: TellLock :execrows
-- At most once for each lock.
UPDATE identity_locks SET told_at = sqlc.arg(told_at) WHERE id = sqlc.arg(id) AND told_at = 0;

-- name: SetKey :execrows
UPDATE identity_locks SET key_hash = sqlc.arg(key_hash), key_until_at = sqlc.arg(key_until_at)
WHERE id = sqlc.arg(id) AND lifted_at = 0;

-- name: TakeKey :execrows
-- Of two requests with one key, exactly one takes it.
UPDATE identity_locks SET key_hash = '' WHERE id = sqlc.arg(id) AND key_hash = sqlc.arg(key_hash);

-- name: LiftLocks :execrows
-- Locks that time ended a moment ago count as well: what their owner proved must
-- hold for the next try.
UPDATE identity_locks SET lifted_at = sqlc.arg(lifted_at), lifted_by = sqlc.arg(lifted_by), how = sqlc.arg(how), key_hash = ''
WHERE subject = sqlc.arg(subject) AND lifted_at = 0 AND until_at > sqlc.arg(recent_at);

-- name: ClearAllStrikes :exec
DELETE FROM identity_strikes WHERE subject = sqlc.arg(subject);

-- name: LastCleared :one
-- When somebody last proved, beyond the password, that a lock was not needed.
SELECT lifted_at FROM identity_locks
WHERE subject = sqlc.arg(subject) AND lifted_at > sqlc.arg(since_at)
ORDER BY lifted_at DESC
LIMIT 1;

-- name: CountLocked :one
SELECT COUNT(DISTINCT subject) FROM identity_locks
WHERE lifted_at = 0 AND until_at > sqlc.arg(now_at) AND subject NOT LIKE 'nobody %';

-- name: ForgetLocks :execrows
DELETE FROM identity_locks WHERE until_at < sqlc.arg(before_at) OR (subject LIKE 'nobody %' AND until_at < sqlc.arg(nobody_before_at));

-- name: RaiseAlarm :one
INSERT INTO identity_alarms (id, kind, network, place, accounts, networks, opened_at, last_at, closed_at)
VALUES (sqlc.arg(id), sqlc.arg(kind), sqlc.arg(network), sqlc.arg(place), sqlc.arg(accounts), sqlc.arg(networks), sqlc.arg(now_at), sqlc.arg(now_at), 0)
ON CONFLICT (kind, network) WHERE closed_at = 0 DO UPDATE SET
    accounts = CASE WHEN identity_alarms.accounts > sqlc.arg(accounts) THEN identity_alarms.accounts ELSE sqlc.arg(accounts) END,
    networks = CASE WHEN identity_alarms.networks > sqlc.arg(networks) THEN identity_alarms.networks ELSE sqlc.arg(networks) END,
    last_at = sqlc.arg(now_at)
RETURNING id, opened_at;

-- name: OpenAlarms :many
SELECT id, kind, network, place, accounts, networks, opened_at, last_at, closed_at
FROM identity_alarms WHERE closed_at = 0
ORDER BY accounts DESC, id
LIMIT 100;

-- name: AlarmFor :one
-- The alarm that says most about sign-ins from one network.
SELECT kind, accounts FROM identity_alarms
WHERE closed_at = 0 AND (kind = 'everywhere' OR network = sqlc.arg(network))
ORDER BY kind DESC
LIMIT 1;

-- name: AlarmByID :one
SELECT id, kind, network, place, accounts, networks, opened_at, last_at, closed_at
FROM identity_alarms WHERE id = sqlc.arg(id);

-- name: CloseAlarms :execrows
UPDATE identity_alarms SET closed_at = sqlc.arg(now_at) WHERE closed_at = 0 AND last_at < sqlc.arg(quiet_at);

-- name: ForgetAlarms :execrows
DELETE FROM identity_alarms WHERE closed_at > 0 AND closed_at < sqlc.arg(before_at);

-- name: Judged :many
-- Everything that the rules judged since an instant, grouped by what they noticed
-- and how it ended.
SELECT fired, kind, outcome, proved, COUNT(*) AS times
FROM identity_signals
WHERE judged AND noted_at >= sqlc.arg(since_at)
GROUP BY fired, kind, outcome, proved;

-- name: CountRefused :one
SELECT COUNT(*) FROM identity_signals WHERE outcome = 'refused' AND noted_at >= sqlc.arg(since_at);

-- name: CountLocks :one
SELECT COUNT(*) FROM identity_locks
WHERE since_at >= sqlc.arg(since_at) AND cause = sqlc.arg(cause) AND subject NOT LIKE 'nobody %';

-- name: SignalsForExport :many
SELECT network, place, country, outcome, reason, proved, fired, score, incident, noted_at
FROM identity_signals WHERE person_id = sqlc.arg(person_id)
ORDER BY noted_at, id;
