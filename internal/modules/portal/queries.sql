-- News.

-- name: AddArticle :exec
INSERT INTO portal_news (id, import_key, state, title_fr, title_en, summary_fr, summary_en, body_fr, body_en, source_fr, source_en,
                         audience, public, picture_id, alt_fr, alt_en, publish_at, unpublish_at, version, created_at, created_by, changed_at, changed_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 1, $19, $20, $19, $20);

-- name: ChangeArticle :execrows
UPDATE portal_news
SET state = $2, title_fr = $3, title_en = $4, summary_fr = $5, summary_en = $6, body_fr = $7, body_en = $8, source_fr = $9, source_en = $10,
    audience = $11, public = $12, picture_id = $13, alt_fr = $14, alt_en = $15, publish_at = $16, unpublish_at = $17,
    version = version + 1, changed_at = $18, changed_by = $19
WHERE id = $1 AND version = $20;

-- name: MoveArticle :execrows
UPDATE portal_news SET state = $2, publish_at = $3, version = version + 1, changed_at = $4, changed_by = $5
WHERE id = $1 AND version = $6;

-- name: DeleteArticle :execrows
DELETE FROM portal_news WHERE id = $1;

-- name: Article :one
SELECT * FROM portal_news WHERE id = $1;

-- name: ArticleByKey :one
SELECT id FROM portal_news WHERE import_key = $1;

-- name: ArticlesOnline :many
SELECT n.id, n.title_fr, n.title_en, n.summary_fr, n.summary_en, n.source_fr, n.source_en, n.audience, n.public,
       n.picture_id, n.alt_fr, n.alt_en, n.publish_at, n.unpublish_at, n.changed_at,
       CAST(COALESCE(p.width, 0) AS BIGINT) AS width, CAST(COALESCE(p.height, 0) AS BIGINT) AS height
FROM portal_news n
LEFT JOIN portal_pictures p ON p.id = n.picture_id
WHERE n.state = 'ready' AND (n.unpublish_at = 0 OR n.unpublish_at > sqlc.arg(unpublish_at))
ORDER BY n.publish_at DESC, n.id DESC
LIMIT sqlc.arg(size);

-- name: ArticlesForDesk :many
SELECT id, state, title_fr, title_en, audience, public, publish_at, unpublish_at, changed_at, changed_by, version
FROM portal_news
ORDER BY changed_at DESC, id DESC
LIMIT sqlc.arg(size);

-- name: CountForDesk :one
SELECT COUNT(*) FILTER (WHERE state = 'draft') AS drafts,
       COUNT(*) FILTER (WHERE state = 'ready' AND publish_at > sqlc.arg(publish_at)) AS scheduled
FROM portal_news;

-- name: ArticlesBy :many
SELECT id, title_fr, title_en, created_at, changed_at FROM portal_news WHERE created_by = $1 OR changed_by = $1 ORDER BY created_at;

-- name: AddPicture :exec
INSERT INTO portal_pictures (id, file_ref, width, height, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6);

-- name: Picture :one
SELECT * FROM portal_pictures WHERE id = $1;

-- name: UnusedPictures :many
SELECT p.id, p.file_ref FROM portal_pictures p
WHERE p.created_at < $1 AND NOT EXISTS (SELECT 1 FROM portal_news n WHERE n.picture_id = p.id)
LIMIT 500;

-- name: DeletePicture :execrows
DELETE FROM portal_pictures
WHERE portal_pictures.id = $1 AND NOT EXISTS (SELECT 1 FROM portal_news n WHERE n.picture_id = portal_pictures.id);

-- The shelf.

-- name: Shelf :many
SELECT service_id, pinned, position, uses, last_used_at FROM portal_shelf WHERE person_id = $1;

-- name: PinService :exec
INSERT INTO portal_shelf (person_id, service_id, pinned, position, uses, last_used_at)
VALUES ($1, $2, TRUE, $3, 0, 0)
ON CONFLICT (person_id, service_id) DO UPDATE SET pinned = TRUE, position = excluded.position;

-- name: UnpinService :exec
UPDATE portal_shelf SET pinned = FALSE, position = 0 WHERE person_id = $1 AND service_id = $2;

-- name: MovePin :exec
UPDATE portal_shelf SET position = $3 WHERE person_id = $1 AND service_id = $2 AND pinned;

-- name: UseService :exec
INSERT INTO portal_shelf (person_id, service_id, pinned, position, uses, last_used_at)
VALUES ($1, $2, FALSE, 0, 1, $3)
ON CONFLICT (person_id, service_id) DO UPDATE SET uses = portal_shelf.uses + 1, last_used_at = excluded.last_used_at;

-- name: ForgetShelf :execrows
DELETE FROM portal_shelf WHERE NOT pinned AND last_used_at < $1;

-- Notifications.

-- name: AddNotification :exec
INSERT INTO portal_notifications (id, person_id, room, notice_key, title_fr, title_en, detail_fr, detail_en, url, icon, tone, created_at, read_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (person_id, notice_key) WHERE notice_key <> ''
DO UPDATE SET id = excluded.id, room = excluded.room, title_fr = excluded.title_fr, title_en = excluded.title_en,
              detail_fr = excluded.detail_fr, detail_en = excluded.detail_en, url = excluded.url, icon = excluded.icon,
              tone = excluded.tone, created_at = excluded.created_at, read_at = excluded.read_at;

-- name: HasNotification :one
SELECT COUNT(*) FROM portal_notifications WHERE person_id = $1 AND notice_key = $2;

-- name: Unread :many
SELECT id, room, title_fr, title_en, detail_fr, detail_en, url, icon, tone, created_at, COUNT(*) OVER () AS total
FROM portal_notifications
WHERE person_id = $1 AND read_at = 0
ORDER BY CASE tone WHEN 'bad' THEN 0 WHEN 'warn' THEN 1 ELSE 2 END, created_at DESC, id DESC
LIMIT 4;

-- name: Notifications :many
SELECT id, room, title_fr, title_en, detail_fr, detail_en, url, icon, tone, created_at, read_at
FROM portal_notifications
WHERE person_id = $1
ORDER BY created_at DESC, id DESC
LIMIT sqlc.arg(size) OFFSET sqlc.arg(skip);

-- name: CountNotifications :one
SELECT COUNT(*) FROM portal_notifications WHERE person_id = $1;

-- name: Notification :one
SELECT id, room, title_fr, title_en, detail_fr, detail_en, url, icon, tone, created_at, read_at
FROM portal_notifications
WHERE id = $1 AND person_id = $2;

-- name: MarkNotification :execrows
UPDATE portal_notifications SET read_at = $3 WHERE id = $1 AND person_id = $2;

-- name: MarkAllNotifications :execrows
UPDATE portal_notifications SET read_at = $2 WHERE person_id = $1 AND read_at = 0;

-- name: ForgetNotifications :execrows
DELETE FROM portal_notifications WHERE created_at < $1;

-- Feeds.

-- name: Feeds :many
SELECT * FROM portal_feeds;

-- name: NoteFeed :exec
INSERT INTO portal_feeds (id, visited_at, succeeded_at, reason, detail, etag, modified)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (id) DO UPDATE SET visited_at = excluded.visited_at, succeeded_at = excluded.succeeded_at,
    reason = excluded.reason, detail = excluded.detail, etag = excluded.etag, modified = excluded.modified;

-- name: KeepFeedItem :exec
INSERT INTO portal_feed_items (feed_id, item_key, title, summary, url, published_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (feed_id, item_key) DO UPDATE SET title = excluded.title, summary = excluded.summary, url = excluded.url, published_at = excluded.published_at;

-- name: FeedItems :many
SELECT * FROM portal_feed_items ORDER BY published_at DESC, feed_id, item_key LIMIT sqlc.arg(size);

-- name: DropFeedItems :exec
DELETE FROM portal_feed_items WHERE feed_id = $1;

-- name: ForgetFeedItems :execrows
DELETE FROM portal_feed_items WHERE published_at < $1;
