package challenge

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// way is one way in which somebody can prove a factor. All keys are one way,
// because the browser finds the right one, and so are all apps.
type way struct {
	Method entry.Method
	Factor string // of a phone or address: which one
	Label  string
	Detail string
	// From is not zero for a way that works from a later day only.
	From time.Time
}

// ways lists what somebody can use now, the best first, and what they have that
// does not work now.
func (x *Challenge) ways(ctx context.Context, a entry.Actor, now time.Time) (usable, waiting []way, err error) {
	factors, err := x.Factors.Of(ctx, a.Person)
	if err != nil {
		return nil, nil, err
	}
	name := func(m entry.Method) string { return i18n.T(ctx, "identity.challenge.way."+string(m)) }
	add := func(list *[]way, v way) {
		if !slices.ContainsFunc(*list, func(w way) bool { return w.Method == v.Method && w.Factor == v.Factor }) {
			*list = append(*list, v)
		}
	}
	for _, f := range factors {
		if f.Kind == a.Method { // proved already: it would be one factor counted twice
			continue
		}
		v := way{Method: f.Kind, Label: name(f.Kind)}
		switch f.Kind {
		case entry.Passkey, entry.SecurityKey:
			v.Method, v.Label = entry.SecurityKey, name(entry.SecurityKey)
		case entry.SMS, entry.Mail:
			v.Factor, v.Detail = f.ID, f.Point
		case entry.Recovery:
			v.Detail = i18n.T(ctx, "identity.challenge.codes_left", "count", f.CodesLeft)
		}
		switch {
		case f.Usable(now):
			add(&usable, v)
		case f.UsableAt.After(now):
			v.From = f.UsableAt
			add(&waiting, v)
		case !f.SuspendedAt.IsZero():
			v.Detail = i18n.T(ctx, "identity.challenge.suspended", "label", f.Label)
			v.Label = name(entry.SecurityKey)
			waiting = append(waiting, v)
		case f.Gone:
			v.Detail = i18n.T(ctx, "identity.challenge.gone")
			waiting = append(waiting, v)
		}
	}
	// Somebody may pass a code on at any moment, so its page is always there.
	if slices.Contains(x.Factors.Methods(), entry.Relayed) {
		usable = append(usable, way{Method: entry.Relayed, Label: name(entry.Relayed), Detail: i18n.T(ctx, "identity.challenge.relayed_detail")})
	}
	return usable, waiting, nil
}

// choose finds the way that was asked for, or the best one. Recovery and relayed
// codes are for when nothing else is at hand, so they come last already.
func choose(ways []way, method, id string) (chosen way, ok bool) {
	if method == string(entry.Passkey) {
		method = string(entry.SecurityKey)
	}
	for _, v := range ways {
		if string(v.Method) == method && (id == "" || v.Factor == id) {
			return v, true
		}
	}
	if len(ways) == 0 || method != "" {
		return way{}, false
	}
	return ways[0], true
}

// url is where a way is asked for.
func (v way) url(a entry.Actor, back string) string {
	return here(FactorURL, a, back, "way", string(v.Method), "factor", v.Factor)
}

// icon is the sign of a way.
func (v way) icon() string {
	switch v.Method {
	case entry.TOTP:
		return "phone"
	case entry.SMS:
		return "sms"
	case entry.Mail:
		return "mail"
	case entry.Recovery:
		return "file"
	case entry.Relayed:
		return "chat"
	default:
		return "key"
	}
}

// actor tells on whose behalf a page acts, and where it goes back to.
func (x *Challenge) actor(r *http.Request) (a entry.Actor, back string, err error) {
	if a, err = x.Door.Actor(r); err != nil {
		return a, "", err
	}
	back = r.URL.Query().Get("back")
	if r.Method == http.MethodPost {
		values, err := web.Form(r)
		if err != nil {
			return a, "", err
		}
		if typed := values.Get("back"); typed != "" {
			back = typed
		}
	}
	return a, web.Local(back), nil
}

// proved turns a factor into the proof of its kind.
func proved(f factor.Factor, trust bool) entry.Proof {
	return entry.Proof{Method: f.Kind, Factor: f.ID, Trust: trust}
}
