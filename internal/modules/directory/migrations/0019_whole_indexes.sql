-- A statement that is prepared before its values are known does not use an index of
-- which they may be no part.
DROP INDEX directory_pushed_of_person;
CREATE INDEX directory_pushed_of_person ON directory_pushed (person_id);
CREATE INDEX directory_entries_photo ON directory_entries (photo);
CREATE INDEX directory_choices_photo ON directory_choices (photo);
