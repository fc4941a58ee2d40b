package counter

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/counter/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/ui"
)

// A kiosk, a screen and a calendar program have no session: their address holds a
// key, which an agent gave and can take back. It opens that one page of that one
// counter, where nothing says who anybody is.

// The kinds of keys.
const (
	kioskKey  = "kiosk"
	screenKey = "screen"
	feedKey   = "feed"
)

var keyKinds = []string{screenKey, kioskKey, feedKey}

// keyBytes is the length of a key.
const keyBytes = 24

// keyPath is the address of a page of a counter with its key.
func keyPath(code, kind, token string) string {
	return "/helpdesk/counter/" + code + "/" + kind + "?key=" + token
}

// addKey makes a key; the token is told once.
func addKey(ctx context.Context, tx db.Tx, code, kind, label string, by campus.PersonID) (token string, err error) {
	token = id.Token(keyBytes)
	if err := sqlgen.New(tx).InsertKey(ctx, sqlgen.InsertKeyParams{
		ID: id.New(), CounterID: code, Kind: kind, TokenHash: id.Hash(token), Label: label, MadeAt: tx.Now(), MadeBy: string(by),
	}); err != nil {
		return "", fmt.Errorf("keep the key of a device: %w", err)
	}
	return token, nil
}

// byKey is the counter of an address with a key of this kind, or [KeyOver].
func (x *Reception) byKey(r *http.Request, kind string) (Desk, error) {
	ctx, code := r.Context(), r.PathValue("code")
	_, err := sqlgen.New(x.DB.Read()).KeyByToken(ctx, sqlgen.KeyByTokenParams{TokenHash: id.Hash(r.URL.Query().Get("key")), CounterID: code, Kind: kind})
	if errors.Is(err, sql.ErrNoRows) {
		return Desk{}, KeyOver
	}
	if err != nil {
		return Desk{}, fmt.Errorf("read the key of a device: %w", err)
	}
	d, err := x.counters.One(ctx, code)
	if errors.Is(err, Missing) {
		return Desk{}, KeyOver
	}
	return d, err
}

// bare is the request with a frame for a device: nobody's name, no navigation, even
// when an agent has signed in beside it.
func bare(r *http.Request) *http.Request {
	s := ui.ShellOf(r.Context())
	return r.WithContext(ui.WithShell(r.Context(), ui.Shell{
		Institution: s.Institution, LogoURL: s.LogoURL, ThemeURL: s.ThemeURL, Version: s.Version, Demo: s.Demo, HelpURL: s.HelpURL, AccessibilityURL: s.AccessibilityURL,
		Path: r.URL.RequestURI(),
	}))
}
