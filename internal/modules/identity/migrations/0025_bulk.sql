-- +goose Up
-- Acts of the secretariat on many accounts: what was asked, the people as the
-- preview listed them, and what became of each.
CREATE TABLE identity_bulk_orders (
    id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    act          TEXT    NOT NULL CHECK (act IN ('suspend', 'expire', 'close', 'reopen', 'extend')),
    reason       TEXT    NOT NULL,
    note         TEXT    NOT NULL,
    from_at      BIGINT  NOT NULL,
    until_at     BIGINT  NOT NULL,
    kind         TEXT    NOT NULL, -- of the registrations that are extended
    chosen       TEXT    NOT NULL, -- the filter, as an address carries it
    ticked       BOOLEAN NOT NULL, -- the people were ticked one by one
    state        TEXT    NOT NULL CHECK (state IN ('preparing', 'preview', 'running', 'done', 'undoing', 'undone', 'dropped')),
    listed       BIGINT  NOT NULL, -- people in the list
    changes      BIGINT  NOT NULL, -- of whom so many would change
    asked_by     TEXT    NOT NULL,
    asked_at     BIGINT  NOT NULL,
    address      TEXT    NOT NULL, -- where the order came from, for the journal
    agent        TEXT    NOT NULL,
    started_at   BIGINT  NOT NULL,
    ended_at     BIGINT  NOT NULL,
    undone_by    TEXT    NOT NULL,
    undone_at    BIGINT  NOT NULL
);
CREATE INDEX identity_bulk_orders_by_time ON identity_bulk_orders (asked_at);
CREATE INDEX identity_bulk_orders_by_author ON identity_bulk_orders (asked_by, asked_at);

CREATE TABLE identity_bulk_people (
    order_id    TEXT COLLATE "C" NOT NULL REFERENCES identity_bulk_orders (id) ON DELETE CASCADE,
    place       BIGINT NOT NULL, -- in the list
    person_id   TEXT   NOT NULL REFERENCES identity_people (id) ON DELETE CASCADE,
    was_state   TEXT   NOT NULL, -- of the account, as the preview showed it
    was_until_at BIGINT NOT NULL, -- of the registration
    decision_id TEXT   NOT NULL, -- what is lifted, or what was decided
    outcome     TEXT   NOT NULL CHECK (outcome IN ('planned', 'left', 'done', 'refused', 'undone', 'kept')),
    why         TEXT   NOT NULL, -- reason code, of those who do not change
    PRIMARY KEY (order_id, place)
);
CREATE INDEX identity_bulk_people_by_outcome ON identity_bulk_people (order_id, outcome, place);
CREATE INDEX identity_bulk_people_of_person ON identity_bulk_people (person_id);

-- +goose Down
DROP TABLE identity_bulk_people;
DROP TABLE identity_bulk_orders;
