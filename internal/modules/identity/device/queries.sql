-- name: DeviceByToken :one
SELECT id, person_id, user_agent, network, place, first_seen_at, last_seen_at, trusted_at, trust_ends_at
FROM identity_devices
WHERE token_hash = sqlc.arg(token_hash) AND person_id = sqlc.arg(person_id);

-- name: DevicesOf :many
-- As many as a person may have; the rest are forgotten when a new one comes.
SELECT id, person_id, user_agent, network, place, first_seen_at, last_seen_at, trusted_at, trust_ends_at
FROM identity_devices
WHERE person_id = sqlc.arg(person_id)
ORDER BY last_seen_at DESC, id
LIMIT 100;

-- name: CountAlike :one
-- Browsers of one person that look the same and were there a moment ago: one that
-- keeps no cookies is new each time.
SELECT COUNT(*) FROM identity_devices
WHERE person_id = sqlc.arg(person_id) AND user_agent = sqlc.arg(user_agent) AND network = sqlc.arg(network)
  AND first_seen_at >= sqlc.arg(since_at);

-- name: AddDevice :exec
INSERT INTO identity_devices (id, token_hash, person_id, user_agent, network, place, first_seen_at, last_seen_at, trusted_at, trust_ends_at)
VALUES (sqlc.arg(id), sqlc.arg(token_hash), sqlc.arg(person_id), sqlc.arg(user_agent), sqlc.arg(network), sqlc.arg(place),
        sqlc.arg(now_at), sqlc.arg(now_at), 0, 0);

-- name: SeeDevice :execrows
UPDATE identity_devices
SET user_agent = sqlc.arg(user_agent), network = sqlc.arg(network), place = sqlc.arg(place), last_seen_at = sqlc.arg(last_seen_at)
WHERE id = sqlc.arg(id);

-- name: MoveToken :execrows
-- Everybody known under the old token of a browser is known under its new one.
UPDATE identity_devices SET token_hash = sqlc.arg(new_hash) WHERE token_hash = sqlc.arg(old_hash);

-- name: TrustDevice :execrows
UPDATE identity_devices SET trusted_at = sqlc.arg(trusted_at), trust_ends_at = sqlc.arg(trust_ends_at)
WHERE id = sqlc.arg(id) AND person_id = sqlc.arg(person_id);

-- name: EndTrust :execrows
UPDATE identity_devices SET trust_ends_at = 0
WHERE person_id = sqlc.arg(person_id) AND trust_ends_at > sqlc.arg(now_at);

-- name: ForgetDevice :execrows
DELETE FROM identity_devices WHERE id = sqlc.arg(id) AND person_id = sqlc.arg(person_id);

-- name: ForgetByToken :execrows
DELETE FROM identity_devices WHERE token_hash = sqlc.arg(token_hash) AND person_id = sqlc.arg(person_id);

-- name: ForgetAll :execrows
DELETE FROM identity_devices WHERE person_id = sqlc.arg(person_id);

-- name: ForgetBeyond :execrows
-- All but the newest browsers of one person.
DELETE FROM identity_devices
WHERE identity_devices.person_id = sqlc.arg(person_id) AND identity_devices.id NOT IN (
    SELECT d.id FROM identity_devices d WHERE d.person_id = sqlc.arg(person_id)
    ORDER BY d.last_seen_at DESC, d.id LIMIT sqlc.arg(most));

-- name: ForgetUnseen :execrows
DELETE FROM identity_devices WHERE last_seen_at < sqlc.arg(before_at);
