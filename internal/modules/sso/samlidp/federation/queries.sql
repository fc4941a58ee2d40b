-- name: Source :one
SELECT * FROM sso_saml_sources WHERE id = $1;

-- name: Sources :many
SELECT * FROM sso_saml_sources ORDER BY id;

-- name: NoteSource :exec
-- What was taken into use.
INSERT INTO sso_saml_sources (id, url, etag, digest, entities, valid_until_at, checked_at, fetched_at)
VALUES (sqlc.arg(id), sqlc.arg(url), sqlc.arg(etag), sqlc.arg(digest), sqlc.arg(entities), sqlc.arg(valid_until_at), sqlc.arg(now), sqlc.arg(now))
ON CONFLICT (id) DO UPDATE SET url = excluded.url, etag = excluded.etag, digest = excluded.digest, entities = excluded.entities,
	valid_until_at = excluded.valid_until_at, checked_at = excluded.checked_at, fetched_at = excluded.fetched_at, problem = '', problem_at = 0;

-- name: NoteSourceUnchanged :exec
UPDATE sso_saml_sources SET checked_at = $2, problem = '', problem_at = 0 WHERE id = $1;

-- name: NoteSourceProblem :exec
-- What was in use stays; the problem is told since its first day.
INSERT INTO sso_saml_sources (id, url, checked_at, problem, problem_at)
VALUES (sqlc.arg(id), sqlc.arg(url), sqlc.arg(now), sqlc.arg(problem), sqlc.arg(now))
ON CONFLICT (id) DO UPDATE SET checked_at = excluded.checked_at, problem = excluded.problem,
	problem_at = CASE WHEN sso_saml_sources.problem_at = 0 THEN excluded.problem_at ELSE sso_saml_sources.problem_at END;

-- name: KeepEntity :exec
INSERT INTO sso_saml_entities (source, entity_key, entity_id, document, digest, name, search, certificates, valid_until_at, read_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (source, entity_key) DO UPDATE SET entity_id = excluded.entity_id, document = excluded.document, digest = excluded.digest,
	name = excluded.name, search = excluded.search, certificates = excluded.certificates,
	valid_until_at = excluded.valid_until_at, read_at = excluded.read_at;

-- name: DropEntity :exec
DELETE FROM sso_saml_entities WHERE source = $1 AND entity_key = $2;

-- name: DropSource :exec
DELETE FROM sso_saml_sources WHERE id = $1;

-- name: DropSourceEntities :exec
DELETE FROM sso_saml_entities WHERE source = $1;

-- name: Entities :many
SELECT e.source, e.document, e.digest, e.valid_until_at, e.read_at, s.valid_until_at AS source_until_at
FROM sso_saml_entities e JOIN sso_saml_sources s ON s.id = e.source WHERE e.entity_key = $1;

-- name: EntityByKey :one
-- The entity whose key begins so.
SELECT entity_id FROM sso_saml_entities WHERE entity_key >= sqlc.arg(first_key) AND entity_key < sqlc.arg(last_key) LIMIT 1;

-- name: EntityDigests :many
SELECT entity_key, digest FROM sso_saml_entities WHERE source = $1;

-- name: SearchEntities :many
SELECT source, entity_id, name FROM sso_saml_entities
WHERE search LIKE CAST(sqlc.arg(pattern) AS TEXT) ORDER BY entity_id, source LIMIT sqlc.arg(most);

-- name: ServiceCertificates :many
-- Of the service providers that have an entry of their own.
SELECT source, entity_id, certificates FROM sso_saml_entities
WHERE source >= 'service:' AND source < 'service;' AND certificates <> '' ORDER BY source;

-- name: PruneEntities :execrows
-- What a query server answered, and nobody asked for again.
DELETE FROM sso_saml_entities WHERE source = $1 AND read_at < $2;
