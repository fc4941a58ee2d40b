-- +goose Up
-- The directory looks people up by the hundred.
CREATE INDEX identity_people_by_student_number ON identity_people (student_number) WHERE student_number <> '';

-- +goose Down
DROP INDEX identity_people_by_student_number;
