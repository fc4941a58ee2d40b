// Package push is the door for programs that push people and groups into a source: the
// tokens by which they are known, and what they pushed, as they sent it.
package push

import (
	"context"
	"net/http"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/register"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Engine takes what is pushed; [register.Engine] is one.
type Engine interface {
	Push(ctx context.Context, src string, records []source.Record) ([]register.Pushed, error)
}

// Door is the door. It is safe for concurrent use.
type Door struct {
	DB     *db.DB
	Clock  clock.Clock
	Engine Engine
	// Sources are those of the configuration; only those that push come through here.
	Sources []source.Config
	// Confirm asks who makes a token to prove anew who they are: whoever has it brings
	// people, and changes them.
	Confirm func(w http.ResponseWriter, r *http.Request) (ok bool, err error)
	// Journal keeps who made and revoked tokens; nil keeps nothing.
	Journal Journal
	// Keepers are those who keep the directory. They are told by Notices, in words of
	// Texts, when a token ends soon. All three may be nil.
	Keepers func(context.Context) ([]campus.PersonID, error)
	Notices contract.Notices
	Texts   *i18n.Catalogue
}

// pushed are the sources that programs push into.
func (d *Door) pushed() []source.Config {
	return slices.DeleteFunc(slices.Clone(d.Sources), func(c source.Config) bool { return !c.Pushed() })
}

// sourceOf finds a source that programs push into.
func (d *Door) sourceOf(id string) (source.Config, bool) {
	for _, c := range d.pushed() {
		if c.ID == id {
			return c, true
		}
	}
	return source.Config{}, false
}
