-- +goose Up
-- Appointments at a time that was closed after they were taken, and who was told.
CREATE TABLE helpdesk_visit_closures (
    visit_id  TEXT   NOT NULL REFERENCES helpdesk_visits (id) ON DELETE CASCADE,
    begins_at BIGINT NOT NULL, -- of the appointment: another time is another matter
    told_at   BIGINT NOT NULL, -- when a letter left; 0 when there is no address
    PRIMARY KEY (visit_id, begins_at)
);

-- +goose Down
DROP TABLE helpdesk_visit_closures;
