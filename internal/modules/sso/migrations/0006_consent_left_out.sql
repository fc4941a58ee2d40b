-- What somebody was asked about and chose not to tell. It is not asked for again
-- unless the service cannot work without it any more.
ALTER TABLE sso_disclosures ADD COLUMN left_out TEXT NOT NULL DEFAULT '';
