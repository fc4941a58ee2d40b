-- name: UnusedAnswers :many
-- What each service left of the answers whose time is over.
SELECT service_id, COUNT(*) AS issued,
	CAST(SUM(CASE WHEN used_at = 0 THEN 1 ELSE 0 END) AS BIGINT) AS unused,
	COUNT(DISTINCT CASE WHEN used_at = 0 THEN session_id END) AS people,
	CAST(MAX(CASE WHEN used_at = 0 THEN expires_at ELSE 0 END) AS BIGINT) AS latest_at,
	CAST(MAX(CASE WHEN used_at = 0 THEN address ELSE '' END) AS TEXT) AS address
FROM sso_answers
WHERE issued_at > sqlc.arg(since) AND expires_at <= sqlc.arg(now) AND state <> 'ended'
GROUP BY service_id
HAVING SUM(CASE WHEN used_at = 0 THEN 1 ELSE 0 END) > 0;

-- name: ReturnedPeople :many
-- How many people each service sent back to us again and again for one address.
WITH ways AS (
	SELECT a.service_id, a.session_id, MAX(a.address) AS address, COUNT(*) AS turns, MAX(a.issued_at) AS latest
	FROM sso_answers a WHERE a.issued_at > sqlc.arg(since) AND a.address_key <> '-'
	GROUP BY a.service_id, a.session_id, a.address_key
)
SELECT service_id, COUNT(DISTINCT session_id) AS people,
	COUNT(DISTINCT CASE WHEN turns >= CAST(sqlc.arg(turns) AS BIGINT) THEN session_id END) AS back,
	CAST(MAX(CASE WHEN turns >= CAST(sqlc.arg(turns) AS BIGINT) THEN latest ELSE 0 END) AS BIGINT) AS latest_at,
	CAST(MAX(CASE WHEN turns >= CAST(sqlc.arg(turns) AS BIGINT) THEN address ELSE '' END) AS TEXT) AS address
FROM ways
GROUP BY service_id;
