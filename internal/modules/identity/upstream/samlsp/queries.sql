-- name: Keys :many
SELECT * FROM identity_upstream_keys WHERE upstream = @upstream ORDER BY number;

-- name: AddKey :exec
INSERT INTO identity_upstream_keys (upstream, number, sealed, made_at) VALUES (@upstream, @number, @sealed, @made_at)
ON CONFLICT (upstream, number) DO NOTHING;
