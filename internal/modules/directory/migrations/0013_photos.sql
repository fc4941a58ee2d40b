-- +goose Up
-- Pictures that sources gave, by the digest of what the source has: the plan of a run
-- names a picture by it, and the entry takes the file.
CREATE TABLE directory_photos (
	digest  TEXT COLLATE "C" PRIMARY KEY,
	photo   TEXT COLLATE "C" NOT NULL, -- in the file store, drawn again
	kept_at BIGINT NOT NULL            -- when a plan named it last
);
CREATE INDEX directory_photos_file ON directory_photos (photo);
