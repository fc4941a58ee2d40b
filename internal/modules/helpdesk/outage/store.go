package outage

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

const columns = `id, kind, state, impact, title_fr, title_en, alike, services, campuses, begins_at, ends_at, announced_at, changed_at, made_by, merged_into, version`

// outages reads those that the rest of a statement finds.
func outages(ctx context.Context, q db.Querier, rest string, args ...any) ([]Outage, error) {
	var list []Outage
	err := db.Each(ctx, q, "SELECT "+columns+" FROM helpdesk_outages "+rest, args, func(rows *sql.Rows) error {
		var o Outage
		var services, campuses string
		var begins, ends, announced, changed db.Time
		if err := rows.Scan(&o.ID, &o.Kind, &o.State, &o.Impact, &o.Title.French, &o.Title.English, &o.Alike, &services, &campuses, &begins, &ends, &announced, &changed, &o.By, &o.MergedInto, &o.Version); err != nil {
			return err
		}
		o.Begins, o.Ends, o.Announced, o.ChangedAt = begins.Time(), ends.Time(), announced.Time(), changed.Time()
		list = append(list, o)
		last := &list[len(list)-1]
		return errors.Join(json.Unmarshal([]byte(services), &last.Services), json.Unmarshal([]byte(campuses), &last.Campuses))
	})
	if err != nil {
		return nil, fmt.Errorf("read incidents: %w", err)
	}
	return list, nil
}

// one reads an incident, or answers [Missing].
func one(ctx context.Context, q db.Querier, outage string) (Outage, error) {
	list, err := outages(ctx, q, "WHERE id = $1", outage)
	if err != nil {
		return Outage{}, err
	}
	if len(list) == 0 {
		return Outage{}, Missing
	}
	return list[0], nil
}

// ByID reads an incident, or answers [Missing].
func (x *Outages) ByID(ctx context.Context, outage string) (Outage, error) {
	return one(ctx, x.DB.Read(), outage)
}

// Titled is the title of an incident in the language of the context.
func (x *Outages) Titled(ctx context.Context, outage string) (string, error) {
	o, err := x.ByID(ctx, outage)
	return o.Title.In(i18n.Locale(ctx)), ignoreMissing(err)
}

func list(of []string) (string, error) {
	if of == nil {
		of = []string{}
	}
	text, err := json.Marshal(of)
	return string(text), err
}

// insert writes a new incident and gives it an identifier. Pages see it once the
// transaction is over.
func (x *Outages) insert(ctx context.Context, tx db.Tx, o Outage) (Outage, error) {
	o.ID, o.Version, o.ChangedAt = id.New(), 1, tx.Now().Time()
	services, err := list(o.Services)
	if err != nil {
		return o, err
	}
	campuses, err := list(o.Campuses)
	if err != nil {
		return o, err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO helpdesk_outages ("+columns+") VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16)",
		o.ID, string(o.Kind), string(o.State), string(o.Impact), o.Title.French, o.Title.English, o.Alike, services, campuses, db.At(o.Begins), db.At(o.Ends), db.At(o.Announced), tx.Now(), string(o.By), o.MergedInto, o.Version); err != nil {
		return o, fmt.Errorf("write an incident: %w", err)
	}
	x.changed(tx)
	return o, nil
}

// update writes an incident that was read in its version, or answers [Changed]. What
// is behind us attracts no tickets any more.
func (x *Outages) update(ctx context.Context, tx db.Tx, o Outage) error {
	services, err := list(o.Services)
	if err != nil {
		return err
	}
	campuses, err := list(o.Campuses)
	if err != nil {
		return err
	}
	result, err := tx.ExecContext(ctx, `UPDATE helpdesk_outages SET state = $1, impact = $2, title_fr = $3, title_en = $4, services = $5, campuses = $6, begins_at = $7, ends_at = $8,
		announced_at = $9, changed_at = $10, merged_into = $11, version = version + 1 WHERE id = $12 AND version = $13`,
		string(o.State), string(o.Impact), o.Title.French, o.Title.English, services, campuses, db.At(o.Begins), db.At(o.Ends), db.At(o.Announced), tx.Now(), o.MergedInto, o.ID, o.Version)
	if err != nil {
		return fmt.Errorf("write an incident: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, Changed)
	}
	if !o.State.Runs() {
		if _, err := tx.ExecContext(ctx, "DELETE FROM helpdesk_outage_keys WHERE outage_id = $1", o.ID); err != nil {
			return fmt.Errorf("end an incident: %w", err)
		}
	}
	x.changed(tx)
	return nil
}

// attract makes new tickets with a key attach themselves; false when another incident
// has the key.
func attract(ctx context.Context, tx db.Tx, outage, key string) (bool, error) {
	result, err := tx.ExecContext(ctx, "INSERT INTO helpdesk_outage_keys (alike, outage_id) VALUES ($1, $2) ON CONFLICT (alike) DO NOTHING", key, outage)
	if err != nil {
		return false, fmt.Errorf("keep by what tickets are alike: %w", err)
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// keysOfOutage are those by which tickets attach themselves to it.
func keysOfOutage(ctx context.Context, q db.Querier, outage string) ([]string, error) {
	var keys []string
	err := db.Each(ctx, q, "SELECT alike FROM helpdesk_outage_keys WHERE outage_id = $1 ORDER BY alike", []any{outage}, func(rows *sql.Rows) error {
		var key string
		err := rows.Scan(&key)
		keys = append(keys, key)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read by what tickets are alike: %w", err)
	}
	return keys, nil
}

// running is the incident that has one of the keys, in their order; empty for none.
func running(ctx context.Context, q db.Querier, keys []string) (string, error) {
	if len(keys) == 0 {
		return "", nil
	}
	args := make([]any, len(keys))
	for i, key := range keys {
		args[i] = key
	}
	found := map[string]string{}
	err := db.Each(ctx, q, "SELECT alike, outage_id FROM helpdesk_outage_keys WHERE alike IN "+db.In(len(keys), 1), args, func(rows *sql.Rows) error {
		var key, outage string
		err := rows.Scan(&key, &outage)
		found[key] = outage
		return err
	})
	if err != nil {
		return "", fmt.Errorf("look for a running incident: %w", err)
	}
	for _, key := range keys {
		if found[key] != "" {
			return found[key], nil
		}
	}
	return "", nil
}

// note writes an update.
func note(ctx context.Context, tx db.Tx, u Update) (Update, error) {
	u.ID, u.At = id.New(), tx.Now().Time()
	if _, err := tx.ExecContext(ctx, `INSERT INTO helpdesk_outage_updates (id, outage_id, told_at, state, words_fr, words_en, author_id, answers, solves, undone_at)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,0)`, u.ID, u.Outage, tx.Now(), string(u.State), u.Words.French, u.Words.English, string(u.By), flag(u.Answers), flag(u.Solves)); err != nil {
		return u, fmt.Errorf("write an update of an incident: %w", err)
	}
	return u, nil
}

func flag(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// updatesOf reads the updates of incidents, the newest first.
func updatesOf(ctx context.Context, q db.Querier, ids ...string) (map[string][]Update, error) {
	found := map[string][]Update{}
	for some := range slices.Chunk(ids, 200) {
		args := make([]any, len(some))
		for i, one := range some {
			args[i] = one
		}
		err := db.Each(ctx, q, `SELECT id, outage_id, told_at, state, words_fr, words_en, author_id, answers, solves, undone_at FROM helpdesk_outage_updates
			WHERE outage_id IN `+db.In(len(some), 1)+" ORDER BY told_at DESC, id DESC", args, func(rows *sql.Rows) error {
			var u Update
			var at, undone db.Time
			var answers, solves int64
			err := rows.Scan(&u.ID, &u.Outage, &at, &u.State, &u.Words.French, &u.Words.English, &u.By, &answers, &solves, &undone)
			u.At, u.Undone, u.Answers, u.Solves = at.Time(), undone.Time(), answers != 0, solves != 0
			found[u.Outage] = append(found[u.Outage], u)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read updates of incidents: %w", err)
		}
	}
	return found, nil
}

// subscribe keeps that somebody wants to be told; who is told already stays so.
func subscribe(ctx context.Context, tx db.Tx, outage string, who campus.PersonID, mail string, l campus.Locale) error {
	if who != "" {
		mail = "" // they are told by the channels that they chose
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO helpdesk_outage_subscribers (id, outage_id, person_id, mail, locale, since_at, told_update) VALUES ($1,$2,$3,$4,$5,$6,$7)
		ON CONFLICT (outage_id, person_id, mail) DO NOTHING`, id.New(), outage, string(who), strings.ToLower(mail), string(l), tx.Now(), id.New()); err != nil {
		return fmt.Errorf("subscribe to an incident: %w", err)
	}
	return nil
}

// follows reports whether somebody with an account is told about it.
func (x *Outages) follows(ctx context.Context, outage string, who campus.PersonID) (bool, error) {
	n, err := count(ctx, x.DB.Read(), "SELECT COUNT(*) FROM helpdesk_outage_subscribers WHERE outage_id = $1 AND person_id = $2", outage, string(who))
	return n > 0, err
}

func count(ctx context.Context, q db.Querier, query string, args ...any) (int64, error) {
	var n int64
	if err := q.QueryRowContext(ctx, query, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	return n, nil
}

// ids reads a column of identifiers.
func ids(ctx context.Context, q db.Querier, query string, args ...any) ([]string, error) {
	var found []string
	err := db.Each(ctx, q, query, args, func(rows *sql.Rows) error {
		var one string
		err := rows.Scan(&one)
		found = append(found, one)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list identifiers: %w", err)
	}
	return found, nil
}

// titled is the name of an incident in both languages, for who named it in one.
func titled(n hours.Named) hours.Named {
	if n.French == "" {
		n.French = n.English
	}
	if n.English == "" {
		n.English = n.French
	}
	return n
}
