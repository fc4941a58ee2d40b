-- +goose Up
CREATE TABLE portal_news (
    id           TEXT   NOT NULL PRIMARY KEY,
    import_key   TEXT COLLATE "C" NOT NULL, -- names an article that was brought in; empty for one written here
    state        TEXT   NOT NULL CHECK (state IN ('draft', 'ready', 'archived')),
    title_fr     TEXT   NOT NULL,
    title_en     TEXT   NOT NULL,
    summary_fr   TEXT   NOT NULL,
    summary_en   TEXT   NOT NULL,
    body_fr      TEXT   NOT NULL,
    body_en      TEXT   NOT NULL,
    source_fr    TEXT   NOT NULL,
    source_en    TEXT   NOT NULL,
    audience     TEXT   NOT NULL, -- JSON; read and checked in Go
    public       BOOLEAN NOT NULL, -- readable by strangers, and in the public feed
    picture_id   TEXT   NOT NULL, -- empty for none
    alt_fr       TEXT   NOT NULL,
    alt_en       TEXT   NOT NULL,
    publish_at   BIGINT NOT NULL,
    unpublish_at BIGINT NOT NULL,
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    created_by   TEXT   NOT NULL,
    changed_at   BIGINT NOT NULL,
    changed_by   TEXT   NOT NULL
);
CREATE INDEX portal_news_by_time ON portal_news (state, publish_at);
CREATE INDEX portal_news_by_change ON portal_news (changed_at);
CREATE UNIQUE INDEX portal_news_by_key ON portal_news (import_key) WHERE import_key <> '';

CREATE TABLE portal_pictures (
    id         TEXT   NOT NULL PRIMARY KEY,
    file_ref   TEXT   NOT NULL,
    width      BIGINT NOT NULL,
    height     BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT   NOT NULL
);

-- What somebody pinned and opened. Services belong to other rooms, so their ids
-- refer to no table here.
CREATE TABLE portal_shelf (
    person_id    TEXT    NOT NULL,
    service_id   TEXT    NOT NULL,
    pinned       BOOLEAN NOT NULL,
    position     BIGINT  NOT NULL, -- order that the person chose; 0 while they chose none
    uses         BIGINT  NOT NULL,
    last_used_at BIGINT  NOT NULL,
    PRIMARY KEY (person_id, service_id)
);

CREATE TABLE portal_notifications (
    id         TEXT   NOT NULL PRIMARY KEY,
    person_id  TEXT   NOT NULL,
    room       TEXT   NOT NULL,
    notice_key TEXT COLLATE "C" NOT NULL, -- empty when nothing replaces it
    title_fr   TEXT   NOT NULL,
    title_en   TEXT   NOT NULL,
    detail_fr  TEXT   NOT NULL,
    detail_en  TEXT   NOT NULL,
    url        TEXT   NOT NULL,
    icon       TEXT   NOT NULL,
    tone       TEXT   NOT NULL CHECK (tone IN ('', 'good', 'warn', 'bad')),
    created_at BIGINT NOT NULL,
    read_at    BIGINT NOT NULL
);
CREATE INDEX portal_notifications_by_person ON portal_notifications (person_id, created_at, id);
CREATE INDEX portal_notifications_by_age ON portal_notifications (created_at);
CREATE UNIQUE INDEX portal_notifications_by_key ON portal_notifications (person_id, notice_key) WHERE notice_key <> '';

-- How the last visit to each configured feed went.
CREATE TABLE portal_feeds (
    id           TEXT   NOT NULL PRIMARY KEY,
    visited_at   BIGINT NOT NULL,
    succeeded_at BIGINT NOT NULL,
    reason       TEXT   NOT NULL, -- code of the failure; empty when the last visit went well
    detail       TEXT   NOT NULL,
    etag         TEXT   NOT NULL,
    modified     TEXT   NOT NULL
);

CREATE TABLE portal_feed_items (
    feed_id      TEXT   NOT NULL,
    item_key     TEXT COLLATE "C" NOT NULL,
    title        TEXT   NOT NULL,
    summary      TEXT   NOT NULL,
    url          TEXT   NOT NULL,
    published_at BIGINT NOT NULL,
    PRIMARY KEY (feed_id, item_key)
);
CREATE INDEX portal_feed_items_by_time ON portal_feed_items (published_at);

-- +goose Down
DROP TABLE portal_feed_items;
DROP TABLE portal_feeds;
DROP TABLE portal_notifications;
DROP TABLE portal_shelf;
DROP TABLE portal_pictures;
DROP TABLE portal_news;
