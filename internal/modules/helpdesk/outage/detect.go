package outage

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/diagnosis"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// When many are alike: so many tickets within a while, and so many times what is
// usual at this hour of the week.
const (
	fewest  = 8
	within  = 30 * time.Minute
	bucket  = 5 * time.Minute
	unusual = 4
	// weeks is how far back the usual is looked for.
	weeks = 8
	// quiet is how long what was dismissed is not suspected again.
	quiet = 6 * time.Hour
)

// The kinds of keys. A key is one of them and what it is about.
const (
	byReason  = "reason:"
	byService = "service:"
	byArea    = "area:" // with "@" and the campus
)

// common are the areas in which many on a campus have the same at once.
var common = []ticket.Area{ticket.AreaNetwork, ticket.AreaUpstream, ticket.AreaPortal}

// keysOf are those by which a ticket is alike others, the most telling first. A
// service that lets somebody in does not count as one that is out of order, nor does
// an account in it that the ledger explains.
func keysOf(t ticket.Ticket) []string {
	var keys []string
	if t.Reason != "" {
		keys = append(keys, byReason+t.Reason)
	}
	leaf := diagnosis.LeafOf(t.Leaf)
	if t.Service != "" && t.Leaf != "service_content" && (leaf == nil || !leaf.Account) {
		keys = append(keys, byService+t.Service)
	}
	if slices.Contains(common, t.Area) {
		keys = append(keys, byArea+string(t.Area)+"@"+t.Campus)
	}
	return keys
}

// Place implements [ticket.Placer]: a ticket that is alike a running incident belongs
// to it from its first moment.
func (x *Outages) Place(ctx context.Context, tx db.Tx, t *ticket.Ticket) error {
	if t.Outage == "" && t.Channel != ticket.ByImport {
		found, err := running(ctx, tx, keysOf(*t))
		if err != nil {
			return err
		}
		t.Outage = found
	}
	return x.Next.Place(ctx, tx, t)
}

// TicketChanged implements [ticket.Follower]: it counts what is opened, and has it
// looked at when much of it is alike.
func (x *Outages) TicketChanged(ctx context.Context, tx db.Tx, h ticket.Happening) error {
	if !h.Opened() || h.After.Channel == ticket.ByImport {
		return nil
	}
	keys := keysOf(h.After)
	began := tx.Now().Time().Truncate(bucket)
	for _, key := range slices.Sorted(slices.Values(keys)) { // in one order, so that two never wait for each other
		if _, err := tx.ExecContext(ctx, `INSERT INTO helpdesk_outage_counts (alike, began_at, opened) VALUES ($1, $2, 1)
			ON CONFLICT (alike, began_at) DO UPDATE SET opened = helpdesk_outage_counts.opened + 1`, key, db.At(began)); err != nil {
			return fmt.Errorf("count what is opened: %w", err)
		}
	}
	if h.After.Outage != "" {
		return nil
	}
	for _, key := range keys {
		n, err := opened(ctx, tx, key, began.Add(-within), began.Add(bucket))
		if err != nil {
			return err
		}
		if n >= fewest {
			return jobs.Enqueue(ctx, tx, suspectArgs{Alike: key}, jobs.UniqueKey(key))
		}
	}
	return nil
}

// opened is how many tickets with a key were opened in a span of time.
func opened(ctx context.Context, q db.Querier, key string, from, to time.Time) (int64, error) {
	return count(ctx, q, "SELECT COALESCE(SUM(opened), 0) FROM helpdesk_outage_counts WHERE alike = $1 AND began_at >= $2 AND began_at < $3", key, db.At(from), db.At(to))
}

// suspectArgs asks whether what is alike is an incident.
type suspectArgs struct {
	Alike string `json:"alike"`
}

// JobName implements [jobs.Args].
func (suspectArgs) JobName() string { return "helpdesk.outage_suspect" }

// suspect proposes an incident when many more ask alike than usually at this hour.
func (x *Outages) suspect(ctx context.Context, args suspectArgs) error {
	now := x.Clock.Now()
	fresh, err := x.loose(ctx, x.DB.Read(), []string{args.Alike}, now.Add(-within), fewest+1)
	if err != nil {
		return err
	}
	if len(fresh) < fewest {
		return nil
	}
	many, err := x.many(ctx, args.Alike, now)
	if err != nil || !many {
		return err
	}
	managers, err := x.desk(ctx)
	if err != nil {
		return err
	}
	o := Outage{Kind: Incident, State: Suspected, Impact: Partly, Alike: args.Alike, Begins: now.Add(-within)}
	o = x.guess(ctx, o)
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		settled, err := count(ctx, tx, "SELECT COUNT(*) FROM helpdesk_outages WHERE alike = $1 AND state = 'dismissed' AND changed_at > $2", args.Alike, tx.Now().Add(-quiet))
		if err != nil || settled > 0 {
			return err
		}
		made, err := x.insert(ctx, tx, o)
		if err != nil {
			return err
		}
		if won, err := attract(ctx, tx, made.ID, args.Alike); err != nil {
			return err
		} else if !won { // another run was faster
			_, err := tx.ExecContext(ctx, "DELETE FROM helpdesk_outages WHERE id = $1", made.ID)
			return err
		}
		for _, who := range managers {
			if err := x.Notices.Notify(ctx, tx, who, contract.Notice{
				Room: "helpdesk", Key: "outage-" + made.ID, Icon: "warning", Tone: "warn", URL: deskURL + "/" + made.ID,
				TitleFrench:  x.Texts.For(campus.French).T("helpdesk.outage.notice.suspected"),
				TitleEnglish: x.Texts.For(campus.English).T("helpdesk.outage.notice.suspected"),
				DetailFrench: made.Title.French, DetailEnglish: made.Title.English,
			}); err != nil {
				return fmt.Errorf("give notice of what is suspected: %w", err)
			}
		}
		return x.gatherSoon(ctx, tx, made.ID)
	})
}

// gatherSoon attaches what is alike now, and once more in a minute: a ticket that is
// being written while an incident begins does not see it yet.
func (x *Outages) gatherSoon(ctx context.Context, tx db.Tx, outage string) error {
	if err := jobs.Enqueue(ctx, tx, gatherArgs{Outage: outage}); err != nil {
		return err
	}
	return jobs.Enqueue(ctx, tx, gatherArgs{Outage: outage}, jobs.After(time.Minute))
}

// many compares with the same hour of the last weeks, by the clock on the wall.
func (x *Outages) many(ctx context.Context, key string, now time.Time) (bool, error) {
	recent, err := opened(ctx, x.DB.Read(), key, now.Add(-within).Truncate(bucket), now.Add(bucket))
	if err != nil {
		return false, err
	}
	var before int64
	for week := 1; week <= weeks; week++ {
		then := now.In(x.Zone).AddDate(0, 0, -7*week)
		n, err := opened(ctx, x.DB.Read(), key, then.Add(-within).Truncate(bucket), then.Add(bucket))
		if err != nil {
			return false, err
		}
		before += n
	}
	return recent*weeks >= unusual*before, nil
}

// mostTold bounds who is told that something is suspected.
const mostTold = 60

// desk are those who are told: who runs the desk, and its agents.
func (x *Outages) desk(ctx context.Context) ([]campus.PersonID, error) {
	people, err := x.Roll.HoldersOf(ctx, campus.RightDesks)
	if err != nil {
		return nil, err
	}
	agents, err := x.Roll.HoldersOf(ctx, campus.RightHelpdesk)
	if err != nil {
		return nil, err
	}
	for _, who := range agents {
		if !slices.Contains(people, who) {
			people = append(people, who)
		}
	}
	return people[:min(len(people), mostTold)], nil
}

// guess names what is suspected by its key, and says what it concerns.
func (x *Outages) guess(ctx context.Context, o Outage) Outage {
	say := func(l campus.Locale, key string, pairs ...any) string {
		return x.Texts.For(l).T("helpdesk.outage.guess."+key, pairs...)
	}
	named := func(key string, pairs func(campus.Locale) []any) hours.Named {
		return hours.Named{French: say(campus.French, key, pairs(campus.French)...), English: say(campus.English, key, pairs(campus.English)...)}
	}
	kind, what, _ := strings.Cut(o.Alike, ":")
	switch kind + ":" {
	case byReason:
		o.Title = named("reason", func(l campus.Locale) []any {
			return []any{"title", strings.TrimSuffix(x.Texts.For(l).T(what+".title"), ".")}
		})
	case byService:
		o.Services = []string{what}
		name, _ := x.Services.ServiceCalled(ctx, what)
		if name == "" {
			name = what
		}
		o.Title = named("service", func(campus.Locale) []any { return []any{"service", name} })
	case byArea:
		area, where, _ := strings.Cut(what, "@")
		if where != "" {
			o.Campuses = []string{where}
		}
		o.Title = named("area_"+area, func(l campus.Locale) []any { return []any{"place", x.placeName(where, l)} })
	}
	return o
}

// loose lists tickets with one of the keys that belong to no incident. Those that
// were taken out of one are left alone.
func (x *Outages) loose(ctx context.Context, q db.Querier, keys []string, since time.Time, most int) ([]string, error) {
	var found []string
	for _, key := range keys {
		kind, what, _ := strings.Cut(key, ":")
		where, args := "", []any{db.At(since), what}
		switch kind + ":" {
		case byReason:
			where = "reason = $2"
		case byService:
			where = "service = $2 AND leaf <> 'service_content' AND leaf NOT LIKE 'account_%'"
		case byArea:
			area, campusCode, _ := strings.Cut(what, "@")
			where, args = "area = $2 AND campus = $3", []any{db.At(since), area, campusCode}
		default:
			continue
		}
		some, err := ids(ctx, q, `SELECT id FROM helpdesk_tickets WHERE opened_at >= $1 AND outage_id = '' AND state <> 'merged' AND channel <> 'import'
			AND NOT EXISTS (SELECT 1 FROM helpdesk_events WHERE ticket_id = helpdesk_tickets.id AND kind = 'outage_off') AND `+where+
			fmt.Sprintf(" ORDER BY opened_at LIMIT %d", most), args...)
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// gatherArgs attaches what is alike to an incident.
type gatherArgs struct {
	Outage string `json:"outage"`
}

// JobName implements [jobs.Args].
func (gatherArgs) JobName() string { return "helpdesk.outage_gather" }

// atOnce is how many tickets one transaction changes.
const atOnce = 20

// gather attaches the tickets that are alike. Run twice, it finds none the second
// time. Those that an agent took out are left alone.
func (x *Outages) gather(ctx context.Context, args gatherArgs) error {
	o, err := x.ByID(ctx, args.Outage)
	if err != nil || !o.State.Runs() {
		return ignoreMissing(err)
	}
	keys, err := keysOfOutage(ctx, x.DB.Read(), o.ID)
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	for {
		found, err := x.loose(ctx, x.DB.Read(), keys, o.Begins, 200)
		if err != nil {
			return err
		}
		found = slices.DeleteFunc(found, func(one string) bool { return taken[one] })
		if len(found) == 0 {
			return nil
		}
		for some := range slices.Chunk(found, atOnce) {
			if err := x.DB.InTx(ctx, func(tx db.Tx) error {
				for _, one := range some {
					if err := x.attach(ctx, tx, ticket.ByHouse, one, o.ID); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				return err
			}
			for _, one := range some {
				taken[one] = true
			}
		}
	}
}

// tidy forgets counts that nothing is compared with any more.
func (x *Outages) tidy(ctx context.Context) error {
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM helpdesk_outage_counts WHERE began_at < $1", tx.Now().Add(-(weeks*7+1)*24*time.Hour))
		if err != nil {
			return fmt.Errorf("forget old counts: %w", err)
		}
		return nil
	})
}
