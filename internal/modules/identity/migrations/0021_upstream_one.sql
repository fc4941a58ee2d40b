-- +goose Up
-- One account of ours is one account of an upstream, also when two of them come at
-- the same moment. Of two that did before, the one that was used last stays.
DELETE FROM identity_upstream_links WHERE state = 'linked' AND EXISTS (
    SELECT 1 FROM identity_upstream_links other
    WHERE other.upstream = identity_upstream_links.upstream AND other.person_id = identity_upstream_links.person_id AND other.state = 'linked'
      AND (other.used_at > identity_upstream_links.used_at OR other.used_at = identity_upstream_links.used_at AND other.id > identity_upstream_links.id));
CREATE UNIQUE INDEX identity_upstream_links_one ON identity_upstream_links (upstream, person_id) WHERE state = 'linked';

-- +goose Down
DROP INDEX identity_upstream_links_one;
