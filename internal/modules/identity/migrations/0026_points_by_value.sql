-- +goose Up
-- Who mails or calls the help desk is looked for by their address or number.
CREATE INDEX identity_points_by_value ON identity_points (channel, LOWER(value));

-- +goose Down
DROP INDEX identity_points_by_value;
