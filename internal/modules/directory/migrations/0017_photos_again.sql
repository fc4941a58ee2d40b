-- +goose Up
-- Who was read before pictures were kept is shown without one, and their unchanged
-- record would be passed over for ever: it counts as changed once, at a reading of
-- everything. (In the JSON of a record, a quotation mark within a value has a \ before
-- it, so that this text is the name of the field.)
UPDATE directory_records SET digest = '' WHERE kind = 'person' AND gone_at = 0 AND said LIKE '%"photo":["%';
UPDATE directory_sources SET full_at = 0
WHERE EXISTS (SELECT 1 FROM directory_records r WHERE r.source = directory_sources.id AND r.kind = 'person' AND r.digest = '' AND r.gone_at = 0);
