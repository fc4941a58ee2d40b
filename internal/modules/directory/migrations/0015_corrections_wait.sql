-- +goose Up
-- A correction that was accepted and has to be made at a source stays open until the
-- source says something else.
ALTER TABLE directory_corrections ADD COLUMN waits_for TEXT NOT NULL DEFAULT ''; -- the source, "self" for the person, empty for their account
ALTER TABLE directory_corrections ADD COLUMN held TEXT NOT NULL DEFAULT '';      -- what the directory said when it was accepted
ALTER TABLE directory_corrections ADD COLUMN written TEXT NOT NULL DEFAULT '';   -- what was written when it was accepted, in words
