-- name: PutGroup :exec
INSERT INTO directory_groups (code, kind, name_french, name_english, about, rule, open, source, changed_by, changed_at)
VALUES (sqlc.arg(code), sqlc.arg(kind), sqlc.arg(name_french), sqlc.arg(name_english), sqlc.arg(about), sqlc.arg(rule), sqlc.arg(open), sqlc.arg(source), sqlc.arg(changed_by), sqlc.arg(changed_at))
ON CONFLICT (code) DO UPDATE SET kind = excluded.kind, name_french = excluded.name_french, name_english = excluded.name_english, about = excluded.about,
	rule = excluded.rule, open = excluded.open, source = excluded.source, changed_by = excluded.changed_by, changed_at = excluded.changed_at;

-- name: GroupByCode :one
SELECT code, kind, name_french, name_english, about, rule, open, source, changed_by, changed_at FROM directory_groups WHERE code = sqlc.arg(code);

-- name: AllGroups :many
SELECT code, kind, name_french, name_english, about, rule, open, source, changed_by, changed_at,
	(SELECT COUNT(*) FROM directory_group_people p WHERE p.group_code = code) AS people,
	(SELECT COUNT(*) FROM directory_group_groups s WHERE s.group_code = code) AS nested
FROM directory_groups ORDER BY code;

-- name: RuleGroups :many
SELECT code, rule FROM directory_groups WHERE kind = 'rule' ORDER BY code;

-- name: DeleteGroup :execrows
DELETE FROM directory_groups WHERE code = sqlc.arg(code);

-- name: AddPerson :execrows
INSERT INTO directory_group_people (group_code, person_id, added_at) VALUES (sqlc.arg(group_code), sqlc.arg(person_id), sqlc.arg(added_at))
ON CONFLICT (group_code, person_id) DO NOTHING;

-- name: DropPerson :execrows
DELETE FROM directory_group_people WHERE group_code = sqlc.arg(group_code) AND person_id = sqlc.arg(person_id);

-- name: DirectPeople :many
SELECT person_id FROM directory_group_people WHERE group_code = sqlc.arg(group_code) ORDER BY person_id;

-- name: DirectGroups :many
SELECT group_code FROM directory_group_people WHERE person_id = sqlc.arg(person_id) ORDER BY group_code;

-- name: AddGroup :execrows
INSERT INTO directory_group_groups (group_code, member_code) VALUES (sqlc.arg(group_code), sqlc.arg(member_code))
ON CONFLICT (group_code, member_code) DO NOTHING;

-- name: DropGroup :execrows
DELETE FROM directory_group_groups WHERE group_code = sqlc.arg(group_code) AND member_code = sqlc.arg(member_code);

-- name: Nested :many
SELECT member_code FROM directory_group_groups WHERE group_code = sqlc.arg(group_code) ORDER BY member_code;

-- name: Holding :many
SELECT group_code FROM directory_group_groups WHERE member_code = sqlc.arg(member_code) ORDER BY group_code;

-- name: GroupsOf :many
-- UNION drops what is there already, so that even a circle would end.
WITH RECURSIVE held (code) AS (
	SELECT p.group_code FROM directory_group_people p WHERE p.person_id = sqlc.arg(person_id)
	UNION
	SELECT s.group_code FROM directory_group_groups s JOIN held h ON s.member_code = h.code
)
SELECT code FROM held ORDER BY code;

-- name: Members :many
WITH RECURSIVE inside (code) AS (
	SELECT g.code FROM directory_groups g WHERE g.code = sqlc.arg(code)
	UNION
	SELECT s.member_code FROM directory_group_groups s JOIN inside i ON s.group_code = i.code
)
SELECT DISTINCT p.person_id FROM directory_group_people p WHERE p.group_code IN (SELECT i.code FROM inside i) ORDER BY p.person_id;

-- name: Inside :many
WITH RECURSIVE inside (code) AS (
	SELECT g.code FROM directory_groups g WHERE g.code = sqlc.arg(code)
	UNION
	SELECT s.member_code FROM directory_group_groups s JOIN inside i ON s.group_code = i.code
)
SELECT code FROM inside ORDER BY code;

-- name: MarkDue :exec
INSERT INTO directory_group_due (person_id, changed_at) VALUES (sqlc.arg(person_id), sqlc.arg(changed_at))
ON CONFLICT (person_id) DO UPDATE SET changed_at = excluded.changed_at;

-- name: Due :many
SELECT person_id, changed_at FROM directory_group_due ORDER BY changed_at, person_id LIMIT sqlc.arg(size);

-- name: NotDue :exec
DELETE FROM directory_group_due WHERE person_id = sqlc.arg(person_id) AND changed_at = sqlc.arg(changed_at);

-- name: DropEverywhere :execrows
DELETE FROM directory_group_people WHERE person_id = sqlc.arg(person_id);

-- name: Memberships :many
SELECT group_code, added_at FROM directory_group_people WHERE person_id = sqlc.arg(person_id) ORDER BY group_code;
