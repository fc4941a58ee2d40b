package risk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/risk/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk/place"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk/rule"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/limit"
)

// Act is what a sign-in has to go through.
type Act string

// The acts, from the mildest.
const (
	Allow     Act = ""       // nothing
	AskFactor Act = "factor" // a second factor, also in a trusted browser
	Lock      Act = "lock"   // a temporary lock, see [Risk.Lock]
)

// Finding is one rule that noticed something, with its points and facts.
type Finding struct {
	Rule   string `json:"rule"`
	Points int    `json:"points"`
	rule.Facts
}

// Verdict is what the rules say about a sign-in whose password was right.
type Verdict struct {
	Score    int
	Findings []Finding // those that count or explain, the heaviest first
	Act      Act
	// Signal names the row that Note writes; Fired are all rules that noticed
	// something, also those that are off.
	Signal string
	Fired  []string
}

// Text is the verdict without the facts of its findings, for a column:
// [ParseVerdict] reads it again when the sign-in goes on in another request.
func (v Verdict) Text() string {
	if v.Signal == "" {
		return ""
	}
	return strings.Join(append([]string{"act=" + string(v.Act), strconv.Itoa(v.Score), v.Signal}, v.Fired...), " ")
}

// ParseVerdict reads what [Verdict.Text] wrote; anything else is the zero Verdict.
func ParseVerdict(text string) Verdict {
	parts := strings.Fields(text)
	if len(parts) < 3 {
		return Verdict{}
	}
	act, ok := strings.CutPrefix(parts[0], "act=")
	score, err := strconv.Atoi(parts[1])
	if !ok || err != nil {
		return Verdict{}
	}
	return Verdict{Act: Act(act), Score: score, Signal: parts[2], Fired: parts[3:]}
}

// How far back the rules look.
const (
	lookBack       = keepSignals
	recentFailures = time.Hour
	recentNetworks = 24 * time.Hour
	recentOld      = 7 * 24 * time.Hour
	clearedFor     = time.Hour // after a lock was lifted by a proof
)

// Assess judges a sign-in whose password was right. It writes nothing: Note the
// verdict as Stopped at once, and as In when the session opens. Who lifted a lock
// by a proof within the last hour is not locked again for the same reasons.
func (x *Risk) Assess(ctx context.Context, c Circumstances) (Verdict, error) {
	e, err := x.evidence(ctx, c)
	if err != nil {
		return Verdict{}, fmt.Errorf("assess a sign-in: %w", err)
	}
	v := x.config.judge(e)
	v.Signal = id.New()
	if v.Act == Lock {
		cleared, err := x.cleared(ctx, x.subject(c))
		if err != nil {
			return Verdict{}, fmt.Errorf("assess a sign-in: %w", err)
		}
		if cleared {
			v.Act = AskFactor
		}
	}
	return v, nil
}

// judge lets every rule look at the evidence and adds the points up.
func (c Config) judge(e rule.Evidence) Verdict {
	v := Verdict{}
	for _, r := range rule.All {
		facts, noticed := r.Notices(e, c.settings())
		if !noticed {
			continue
		}
		v.Fired = append(v.Fired, r.Name)
		points := c.Points.of(r.Name)
		if points == 0 && !r.Fixed {
			continue // off
		}
		v.Score += points
		v.Findings = append(v.Findings, Finding{Rule: r.Name, Points: points, Facts: facts})
	}
	slices.SortStableFunc(v.Findings, func(a, b Finding) int { return b.Points - a.Points })
	v.Act = c.act(v.Score)
	return v
}

// act is what a score leads to.
func (c Config) act(score int) Act {
	switch {
	case c.Lock > 0 && score >= c.Lock:
		return Lock
	case c.AskFactor > 0 && score >= c.AskFactor:
		return AskFactor
	default:
		return Allow
	}
}

// evidence gathers what the rules look at.
func (x *Risk) evidence(ctx context.Context, c Circumstances) (rule.Evidence, error) {
	now, here := x.Clock.Now(), x.Place(c.Address)
	if !c.At.IsZero() {
		now = c.At
	}
	if c.Country != "" {
		here = place.Place{Country: c.Country}
	}
	at := func(back time.Duration) db.Time { return db.At(now.Add(-back)) }
	e := rule.Evidence{
		At: now.In(x.Zone), Network: limit.AddressKey(c.Address), Here: here,
		KnownBrowser: c.Device != "", Breached: c.Breached,
	}
	err := x.DB.InReadTx(ctx, func(q db.Querier) error {
		queries, who := sqlgen.New(q), string(c.Person.ID)
		past, err := queries.PastOf(ctx, sqlgen.PastOfParams{PersonID: who, SinceAt: at(lookBack)})
		if err != nil {
			return fmt.Errorf("read earlier sign-ins: %w", err)
		}
		for _, row := range past {
			e.Past = append(e.Past, rule.Visit{At: row.NotedAt.Time(), Network: row.Network, Here: place.Parse(row.Place)})
		}
		failed, err := queries.FailuresOf(ctx, sqlgen.FailuresOfParams{PersonID: who, OldPassword: oldPassword, RecentAt: at(recentFailures), SinceAt: at(recentNetworks)})
		if err != nil {
			return fmt.Errorf("count failures: %w", err)
		}
		e.Failures, e.Networks = int(failed.Failures), int(failed.Networks)
		old, err := queries.OldPasswordsOf(ctx, sqlgen.OldPasswordsOfParams{PersonID: who, OldPassword: oldPassword, SinceAt: at(recentOld)})
		if err != nil {
			return fmt.Errorf("count old passwords: %w", err)
		}
		e.OldPasswords = int(old)
		alarm, err := queries.AlarmFor(ctx, x.networkOf(c.Address))
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return fmt.Errorf("look for an alarm: %w", err)
		default:
			e.Accounts = int(alarm.Accounts)
			e.SprayHere, e.SprayEverywhere = alarm.Kind == alarmNetwork, alarm.Kind == alarmEverywhere
		}
		return nil
	})
	return e, err
}

// cleared reports whether somebody lifted a lock by a proof a moment ago.
func (x *Risk) cleared(ctx context.Context, subject string) (bool, error) {
	_, err := sqlgen.New(x.DB.Read()).LastCleared(ctx, sqlgen.LastClearedParams{Subject: subject, SinceAt: db.At(x.Clock.Now().Add(-clearedFor))})
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for a lock that was lifted: %w", err)
	}
	return true, nil
}

// Explain says a finding in a sentence, to the person whose sign-in it is about or
// to an agent, in the language of ctx.
func Explain(ctx context.Context, f Finding) string {
	l := i18n.Locale(ctx)
	name := func(p place.Place) string {
		if said := p.Name(l); said != "" {
			return said
		}
		return i18n.T(ctx, "identity.risk.somewhere")
	}
	facts := []any{"here", name(f.Here), "there", name(f.There), "km", f.Km, "took", f.Took}
	if f.Count > 0 { // chooses the plural, which only sentences with a count have
		facts = append(facts, "count", f.Count)
	}
	return i18n.T(ctx, "identity.risk.rule."+f.Rule+".finding", facts...)
}
