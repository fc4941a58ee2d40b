-- +goose Up
-- What the desk knows: articles in two languages.
CREATE TABLE helpdesk_articles (
    id         TEXT   NOT NULL PRIMARY KEY,
    slug       TEXT COLLATE "C" NOT NULL UNIQUE,
    state      TEXT COLLATE "C" NOT NULL CHECK (state IN ('draft', 'published', 'retired')),
    internal   BIGINT NOT NULL, -- 1: for agents alone
    title_fr   TEXT   NOT NULL,
    title_en   TEXT   NOT NULL,
    body_fr    TEXT   NOT NULL, -- Markdown
    body_en    TEXT   NOT NULL,
    reasons    TEXT   NOT NULL, -- JSON: reason codes that it explains
    services   TEXT   NOT NULL, -- JSON: identifiers in the register of services
    leaves     TEXT   NOT NULL, -- JSON: leaves of the guided diagnosis
    ticket_id  TEXT   NOT NULL, -- the ticket that it was written from; empty for none
    version    BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT   NOT NULL,
    viewed     BIGINT NOT NULL,
    helped     BIGINT NOT NULL,
    unhelped   BIGINT NOT NULL
);
CREATE INDEX helpdesk_articles_by_changer ON helpdesk_articles (changed_by) WHERE changed_by <> '';
CREATE INDEX helpdesk_articles_by_ticket ON helpdesk_articles (ticket_id) WHERE ticket_id <> '';

-- What it said before.
CREATE TABLE helpdesk_article_versions (
    article_id TEXT   NOT NULL REFERENCES helpdesk_articles (id) ON DELETE CASCADE,
    version    BIGINT NOT NULL,
    state      TEXT COLLATE "C" NOT NULL,
    title_fr   TEXT   NOT NULL,
    title_en   TEXT   NOT NULL,
    body_fr    TEXT   NOT NULL,
    body_en    TEXT   NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT   NOT NULL,
    PRIMARY KEY (article_id, version)
);
CREATE INDEX helpdesk_article_versions_by_changer ON helpdesk_article_versions (changed_by) WHERE changed_by <> '';

-- What readers said about it; nobody's name is kept.
CREATE TABLE helpdesk_article_opinions (
    id         TEXT   NOT NULL PRIMARY KEY,
    article_id TEXT   NOT NULL REFERENCES helpdesk_articles (id) ON DELETE CASCADE,
    said_at    BIGINT NOT NULL,
    helped     BIGINT NOT NULL,
    words      TEXT   NOT NULL
);
CREATE INDEX helpdesk_article_opinions_by_article ON helpdesk_article_opinions (article_id, said_at);

-- +goose Down
DROP TABLE helpdesk_article_opinions;
DROP TABLE helpdesk_article_versions;
DROP TABLE helpdesk_articles;
