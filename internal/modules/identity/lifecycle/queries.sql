-- name: HoldState :one
-- The row stays locked to the end of the transaction on PostgreSQL, so that two
-- decisions about one account follow one another.
UPDATE identity_people SET changed_at = changed_at WHERE id = $1 RETURNING state;

-- name: MoveState :execrows
UPDATE identity_people SET state = sqlc.arg(new_state), changed_at = $2 WHERE id = $1 AND state = sqlc.arg(old_state);

-- name: AddDecision :exec
INSERT INTO identity_decisions (id, person_id, state, base_state, reason, text_fr, text_en, office_fr, office_en, contact, shown, note, rule,
    decided_by, decided_at, from_at, until_at, deletion_at, told_at, lifted_by, lifted_at, lift_note)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 0, '', 0, '');

-- name: DecisionByID :one
SELECT * FROM identity_decisions WHERE id = $1;

-- name: DecisionsOf :many
SELECT * FROM identity_decisions WHERE person_id = $1 ORDER BY decided_at DESC, id DESC LIMIT 200;

-- name: StandingDecisions :many
SELECT * FROM identity_decisions WHERE person_id = $1 AND lifted_at = 0 ORDER BY decided_at DESC, id DESC LIMIT 200;

-- name: LiftDecision :execrows
UPDATE identity_decisions SET lifted_by = $2, lifted_at = $3, lift_note = $4 WHERE id = $1 AND lifted_at = 0;

-- name: MarkTold :execrows
UPDATE identity_decisions SET told_at = $2 WHERE id = $1 AND told_at = 0;

-- name: DueDecisions :many
SELECT d.id, d.person_id FROM identity_decisions d
JOIN identity_people p ON p.id = d.person_id
WHERE d.lifted_at = 0 AND (
    (d.until_at > 0 AND d.until_at <= sqlc.arg(now))
    OR (d.from_at > d.decided_at AND d.from_at <= sqlc.arg(now) AND d.state IN ('suspended', 'closed')
        AND p.state <> d.state AND p.state <> 'closed'))
ORDER BY d.id
LIMIT 200;

-- name: EndingDecisions :many
SELECT * FROM identity_decisions
WHERE state = 'expiring' AND lifted_at = 0 AND until_at > sqlc.arg(now) AND until_at <= sqlc.arg(horizon) AND id > sqlc.arg(after)
ORDER BY id
LIMIT 500;

-- name: AddNotice :execrows
INSERT INTO identity_decision_notices (decision_id, days, sent_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: NoticesOf :many
SELECT days, sent_at FROM identity_decision_notices WHERE decision_id = $1 ORDER BY days DESC;

-- name: SetRegistration :exec
INSERT INTO identity_registrations (person_id, kind, until_at, source, changed_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (person_id, kind) DO UPDATE SET until_at = excluded.until_at, source = excluded.source, changed_at = excluded.changed_at;

-- name: MoveRegistration :execrows
UPDATE identity_registrations SET until_at = sqlc.arg(until_at), source = sqlc.arg(source), changed_at = sqlc.arg(changed_at)
WHERE person_id = sqlc.arg(person_id) AND kind = sqlc.arg(kind) AND until_at = sqlc.arg(old_until_at);

-- name: RegistrationsOf :many
SELECT * FROM identity_registrations WHERE person_id = $1 ORDER BY kind;

-- name: OpenRegistrations :many
-- What a source has said of people who still belong to the institution.
SELECT r.person_id, r.kind, p.login FROM identity_registrations r
JOIN identity_people p ON p.id = r.person_id
WHERE r.source = sqlc.arg(source) AND (r.until_at = 0 OR r.until_at > sqlc.arg(now))
  AND (r.person_id > sqlc.arg(after_person) OR (r.person_id = sqlc.arg(after_person) AND r.kind > sqlc.arg(after_kind)))
ORDER BY r.person_id, r.kind
LIMIT 500;

-- name: Unregistered :many
SELECT p.id, p.login, p.given_name, p.family_name, p.state, r.kind, r.until_at
FROM identity_people p
JOIN identity_registrations r ON r.person_id = p.id
WHERE p.state IN ('invited', 'active')
  AND r.until_at > 0 AND r.until_at <= sqlc.arg(now)
  AND NOT EXISTS (SELECT 1 FROM identity_registrations o WHERE o.person_id = p.id
                  AND (o.until_at = 0 OR o.until_at > sqlc.arg(now) OR o.until_at > r.until_at OR (o.until_at = r.until_at AND o.kind < r.kind)))
  AND NOT EXISTS (SELECT 1 FROM identity_affiliations a WHERE a.person_id = p.id
                  AND NOT EXISTS (SELECT 1 FROM identity_registrations q WHERE q.person_id = p.id AND q.kind = a.kind))
  AND p.id > sqlc.arg(after)
ORDER BY p.id
LIMIT 500;

-- name: BackAgain :many
SELECT p.id, p.login, p.given_name, p.family_name, p.state, d.id AS decision_id, d.rule
FROM identity_people p
JOIN identity_decisions d ON d.person_id = p.id
WHERE d.lifted_at = 0 AND d.rule <> '' AND d.state IN ('expiring', 'closed') AND p.state = d.state
  AND EXISTS (SELECT 1 FROM identity_registrations r WHERE r.person_id = p.id AND (r.until_at = 0 OR r.until_at > sqlc.arg(now)))
  AND p.id > sqlc.arg(after)
ORDER BY p.id
LIMIT 500;

-- name: DueDeletions :many
SELECT p.id, p.login, p.given_name, p.family_name, d.id AS decision_id, d.decided_at, d.deletion_at, d.text_fr, d.text_en
FROM identity_decisions d
JOIN identity_people p ON p.id = d.person_id
WHERE d.lifted_at = 0 AND d.state = 'closed' AND p.state = 'closed' AND d.deletion_at > 0 AND d.deletion_at <= sqlc.arg(horizon)
ORDER BY d.deletion_at, d.id
LIMIT 500;

-- name: DecisionsForExport :many
SELECT state, reason, CASE WHEN shown THEN text_fr ELSE '' END AS text_fr, CASE WHEN shown THEN text_en ELSE '' END AS text_en, office_fr, office_en, decided_at, from_at, until_at, deletion_at, lifted_at
FROM identity_decisions WHERE person_id = $1 ORDER BY decided_at;

-- name: DueForErasure :many
SELECT p.id, CAST(MIN(d.deletion_at) AS BIGINT) AS due, CAST(MIN(d.rule) AS TEXT) AS rule
FROM identity_decisions d
JOIN identity_people p ON p.id = d.person_id
WHERE d.lifted_at = 0 AND d.state = 'closed' AND p.state = 'closed' AND d.deletion_at > 0 AND d.deletion_at <= sqlc.arg(now) AND p.id > sqlc.arg(after)
GROUP BY p.id
ORDER BY p.id
LIMIT sqlc.arg(size);

-- name: NoticesForExport :many
SELECT n.days, n.sent_at FROM identity_decision_notices n
JOIN identity_decisions d ON d.id = n.decision_id
WHERE d.person_id = $1
ORDER BY n.sent_at, n.days;
