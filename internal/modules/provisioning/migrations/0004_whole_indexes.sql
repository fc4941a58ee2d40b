-- A statement that is prepared before its values are known does not use an index of
-- which they may be no part.
DROP INDEX provisioning_removals_person;
CREATE INDEX provisioning_removals_person ON provisioning_removals (person);
