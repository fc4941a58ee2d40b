// Package bell keeps what rooms tell people: notifications, read and unread.
package bell

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/portal/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Missing: the viewer has no such notification.
var Missing = fault.Declare(fault.NotFound, "portal.notification_missing")

// Bell is every person's notifications.
type Bell struct {
	DB    *db.DB
	Clock clock.Clock

	memory memory
}

var _ contract.Notices = (*Bell)(nil)

// Notification is one notice that somebody got.
type Notification struct {
	ID     string
	Notice contract.Notice
	At     time.Time
	ReadAt time.Time
}

// Unread reports whether it waits to be read.
func (n Notification) Unread() bool { return n.ReadAt.IsZero() }

// Title is what it says, in a language.
func (n Notification) Title(l campus.Locale) string {
	return pick(l, n.Notice.TitleFrench, n.Notice.TitleEnglish)
}

// Detail is what it adds, in a language.
func (n Notification) Detail(l campus.Locale) string {
	return pick(l, n.Notice.DetailFrench, n.Notice.DetailEnglish)
}

func pick(l campus.Locale, french, english string) string {
	if l == campus.English && english != "" || french == "" {
		return english
	}
	return french
}

// Waiting is what somebody has not read: how many, and the most urgent few.
type Waiting struct {
	Count int
	First []Notification
}

// Urgent is the notification that deserves the one notice of a page, if any
// does.
func (w Waiting) Urgent() (Notification, bool) {
	if len(w.First) > 0 && (w.First[0].Notice.Tone == "bad" || w.First[0].Notice.Tone == "warn") {
		return w.First[0], true
	}
	return Notification{}, false
}

// Limits of what is kept, in characters; longer texts are cut, because losing
// the end of a sentence is better than losing the notice.
const (
	maxTitle  = 140
	maxDetail = 500
)

// Notify tells somebody something, in the caller's transaction.
func (b *Bell) Notify(ctx context.Context, tx db.Tx, to campus.PersonID, n contract.Notice) error {
	return b.notify(ctx, tx, to, n, tx.Now(), 0)
}

// NotifyOnce is Notify at a given moment for a notice with a key, and does
// nothing when the person has one with this key: for what is brought in.
func (b *Bell) NotifyOnce(ctx context.Context, tx db.Tx, to campus.PersonID, n contract.Notice, at time.Time, read bool) error {
	if n.Key == "" {
		return errors.New("a notice that is brought in needs a key")
	}
	known, err := sqlgen.New(tx).HasNotification(ctx, sqlgen.HasNotificationParams{PersonID: string(to), NoticeKey: n.Key})
	if err != nil {
		return fmt.Errorf("look for a notification: %w", err)
	}
	if known > 0 {
		return nil
	}
	var readAt db.Time
	if read {
		readAt = tx.Now()
	}
	return b.notify(ctx, tx, to, n, db.At(at), readAt)
}

func (b *Bell) notify(ctx context.Context, tx db.Tx, to campus.PersonID, n contract.Notice, at, readAt db.Time) error {
	if n.URL != "" && !followable(n.URL) {
		return fmt.Errorf("notify: %q is neither a path of ours nor an https address", n.URL)
	}
	tone := n.Tone
	switch tone {
	case "good", "warn", "bad":
	default:
		tone = ""
	}
	err := sqlgen.New(tx).AddNotification(ctx, sqlgen.AddNotificationParams{
		ID: id.New(), PersonID: string(to), Room: n.Room, NoticeKey: n.Key,
		TitleFr: cut(n.TitleFrench, maxTitle), TitleEn: cut(n.TitleEnglish, maxTitle),
		DetailFr: cut(n.DetailFrench, maxDetail), DetailEn: cut(n.DetailEnglish, maxDetail),
		Url: n.URL, Icon: n.Icon, Tone: tone, CreatedAt: at, ReadAt: readAt,
	})
	if err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	tx.AfterCommit(func() { b.memory.forget(to) })
	return nil
}

// followable reports whether a notification may lead to an address. Rooms write
// them, but what they write may come from elsewhere.
func followable(url string) bool {
	return web.Local(url) == url || strings.HasPrefix(url, "https://")
}

func cut(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	return string([]rune(text)[:limit-1]) + "…"
}

// Waiting returns what somebody has not read, remembered for a few seconds:
// every page shows the count.
func (b *Bell) Waiting(ctx context.Context, who campus.PersonID) (Waiting, error) {
	now := b.Clock.Now()
	w, since, ok := b.memory.get(who, now)
	if ok {
		return w, nil
	}
	rows, err := sqlgen.New(b.DB.Read()).Unread(ctx, string(who))
	if err != nil {
		return Waiting{}, fmt.Errorf("read what is unread: %w", err)
	}
	for _, r := range rows {
		w.Count = int(r.Total)
		w.First = append(w.First, notification(sqlgen.NotificationsRow{
			ID: r.ID, Room: r.Room, TitleFr: r.TitleFr, TitleEn: r.TitleEn, DetailFr: r.DetailFr, DetailEn: r.DetailEn,
			Url: r.Url, Icon: r.Icon, Tone: r.Tone, CreatedAt: r.CreatedAt,
		}))
	}
	b.memory.put(who, w, now, since)
	return w, nil
}

// PageSize is how many notifications a page shows.
const PageSize = 20

// Page returns one page of somebody's notifications, newest first, and how many
// there are in all. Pages count from 1.
func (b *Bell) Page(ctx context.Context, who campus.PersonID, page int) ([]Notification, int, error) {
	s := sqlgen.New(b.DB.Read())
	total, err := s.CountNotifications(ctx, string(who))
	if err != nil {
		return nil, 0, fmt.Errorf("count notifications: %w", err)
	}
	rows, err := s.Notifications(ctx, sqlgen.NotificationsParams{PersonID: string(who), Size: PageSize, Skip: int32((page - 1) * PageSize)})
	if err != nil {
		return nil, 0, fmt.Errorf("list notifications: %w", err)
	}
	list := make([]Notification, len(rows))
	for i, r := range rows {
		list[i] = notification(r)
	}
	return list, int(total), nil
}

func notification(r sqlgen.NotificationsRow) Notification {
	return Notification{
		ID: r.ID, At: r.CreatedAt.Time(), ReadAt: r.ReadAt.Time(),
		Notice: contract.Notice{
			Room: r.Room, TitleFrench: r.TitleFr, TitleEnglish: r.TitleEn, DetailFrench: r.DetailFr, DetailEnglish: r.DetailEn,
			URL: r.Url, Icon: r.Icon, Tone: r.Tone,
		},
	}
}

// idShape keeps what cannot be an identifier away from the database.
var idShape = regexp.MustCompile(`^[0-9a-f-]{36}$`)

// Read marks one of somebody's notifications read and returns it.
func (b *Bell) Read(ctx context.Context, who campus.PersonID, notice string) (Notification, error) {
	if !idShape.MatchString(notice) {
		return Notification{}, Missing
	}
	row, err := sqlgen.New(b.DB.Read()).Notification(ctx, sqlgen.NotificationParams{ID: notice, PersonID: string(who)})
	if errors.Is(err, sql.ErrNoRows) {
		return Notification{}, Missing
	}
	if err != nil {
		return Notification{}, fmt.Errorf("read notification: %w", err)
	}
	n := notification(sqlgen.NotificationsRow(row))
	if n.Unread() {
		err = b.mark(ctx, who, notice, true)
	}
	return n, err
}

// Mark marks one of somebody's notifications read or unread.
func (b *Bell) Mark(ctx context.Context, who campus.PersonID, notice string, read bool) error {
	if !idShape.MatchString(notice) {
		return Missing
	}
	return b.mark(ctx, who, notice, read)
}

func (b *Bell) mark(ctx context.Context, who campus.PersonID, notice string, read bool) error {
	err := b.DB.InTx(ctx, func(tx db.Tx) error {
		var at db.Time
		if read {
			at = tx.Now()
		}
		n, err := sqlgen.New(tx).MarkNotification(ctx, sqlgen.MarkNotificationParams{ID: notice, PersonID: string(who), ReadAt: at})
		if err != nil {
			return fmt.Errorf("mark notification: %w", err)
		}
		if n == 0 {
			return Missing
		}
		return nil
	})
	b.memory.forget(who)
	return err
}

// MarkAll marks everything of somebody read and returns how much that was.
func (b *Bell) MarkAll(ctx context.Context, who campus.PersonID) (marked int64, err error) {
	err = b.DB.InTx(ctx, func(tx db.Tx) (err error) {
		marked, err = sqlgen.New(tx).MarkAllNotifications(ctx, sqlgen.MarkAllNotificationsParams{PersonID: string(who), ReadAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("mark notifications: %w", err)
		}
		return nil
	})
	b.memory.forget(who)
	return marked, err
}

// Forget deletes notifications older than age.
func (b *Bell) Forget(ctx context.Context, age time.Duration) error {
	return b.DB.InTx(ctx, func(tx db.Tx) error {
		if _, err := sqlgen.New(tx).ForgetNotifications(ctx, tx.Now().Add(-age)); err != nil {
			return fmt.Errorf("delete old notifications: %w", err)
		}
		return nil
	})
}
