-- +goose Up
-- A counter has several windows: which one calls somebody. Empty where it has one.
ALTER TABLE helpdesk_visits ADD COLUMN at_window TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE helpdesk_visits DROP COLUMN at_window;
