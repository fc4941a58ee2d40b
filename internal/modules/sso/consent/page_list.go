package consent

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// listed is one service that was told something.
type listed struct {
	ID, Name string
	Facts    []ui.Fact
	Agreed   bool
}

// listPage shows somebody what each service knows about them from us, and why.
func (c *Consent) listPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	x, err := c.Services.Registry(ctx)
	if err != nil {
		return err
	}
	disclosures, err := c.Disclosures(ctx, web.Viewer(r).Person)
	if err != nil {
		return err
	}
	rows := make([]listed, len(disclosures))
	for i, d := range disclosures {
		rows[i] = listedOf(ctx, d, x.Get(d.Service))
	}
	return web.Render(w, r, http.StatusOK, listTempl(rows))
}

// listedOf puts a disclosure into words; s is nil when the service left the
// registry.
func listedOf(ctx context.Context, d Disclosure, s *registry.Service) listed {
	row := listed{ID: d.Service, Name: nameOf(ctx, d), Agreed: !d.AgreedAt.IsZero()}
	add := func(key, text string) {
		if text != "" {
			row.Facts = append(row.Facts, ui.Fact{Label: i18n.T(ctx, "sso.consent."+key), Text: text})
		}
	}
	when := func(key string, at time.Time, style i18n.Style) {
		if !at.IsZero() {
			row.Facts = append(row.Facts, ui.Fact{Label: i18n.T(ctx, "sso.consent."+key), Body: ui.When(at, style)})
		}
	}
	if d.FirstAt.IsZero() {
		add("list_told", i18n.T(ctx, "sso.consent.nothing_yet"))
	} else {
		add("list_told", told(ctx, d.Told))
	}
	if s != nil {
		row.Name = s.Name(i18n.Locale(ctx))
		add("list_reason", reasonOf(ctx, s))
		add("list_owner", s.Owner)
		add("list_contact", s.Contact)
	} else {
		add("list_reason", i18n.T(ctx, "sso.consent.list_gone"))
	}
	when("list_first", d.FirstAt, i18n.Day)
	when("list_last", d.LastAt, i18n.Day)
	when("list_agreed", d.AgreedAt, i18n.Day)
	if row.Agreed {
		add("list_agreed_to", told(ctx, d.Agreed))
		add("list_left_out", registry.AttributeWords(ctx, d.LeftOut))
	}
	return row
}

// nameOf is what the service was called when it was told last.
func nameOf(ctx context.Context, d Disclosure) string {
	switch {
	case i18n.Locale(ctx) == campus.English && d.NameEnglish != "", d.NameFrench == "" && d.NameEnglish != "":
		return d.NameEnglish
	case d.NameFrench != "":
		return d.NameFrench
	}
	return d.Service
}

func (c *Consent) revoke(w http.ResponseWriter, r *http.Request) error {
	ctx, who, service := r.Context(), web.Viewer(r).Person, r.PathValue("service")
	err := c.DB.InTx(ctx, func(tx db.Tx) error {
		d, err := c.disclosure(ctx, tx, who, service)
		if err != nil {
			return err
		}
		if err := c.Revoke(ctx, tx, who, service); err != nil {
			return err
		}
		if err := c.Withdrawn(ctx, tx, who, service); err != nil {
			return err
		}
		// By the names that the person knows it by: its entry may be gone.
		return c.record(ctx, tx, r, TakenBack, &registry.Service{ID: service, NameFrench: cmp.Or(d.NameFrench, d.NameEnglish, service), NameEnglish: d.NameEnglish}, nil)
	})
	if err != nil {
		return err
	}
	web.Flash(w, r, "sso.consent.revoked")
	return web.SeeOther(w, r, "/sso/consents")
}
