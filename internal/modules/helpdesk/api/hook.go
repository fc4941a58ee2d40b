package api

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

var _ ticket.Follower = (*API)(nil)

// Kinds are the events that webhooks can be told of.
var Kinds = []string{"ticket.opened", "ticket.answered", "ticket.replied", "ticket.noted", "ticket.state", "ticket.assigned", "ticket.moved", "ticket.priority", "ticket.rated"}

// shapes are the forms of a message.
var shapes = []string{"standard", "slack", "mattermost"}

// attempts is how often a message is sent before the house gives up: with growing
// pauses, for about half a day.
const attempts = 8

// HookOrder asks for a webhook. Empty lists are everything in the token's reach.
type HookOrder struct {
	Label  string   `json:"label"`
	URL    string   `json:"url"`
	Shape  string   `json:"shape,omitempty"` // standard, slack or mattermost
	Kinds  []string `json:"kinds,omitempty"`
	Queues []string `json:"queues,omitempty"`
}

// Hook is a webhook. Its address is not told again: some receivers are known by it
// alone.
type Hook struct {
	ID     string   `json:"id"`
	Label  string   `json:"label"`
	Host   string   `json:"host"`
	Shape  string   `json:"shape"`
	Kinds  []string `json:"kinds"`
	Queues []string `json:"queues"`
	Secret string   `json:"secret,omitempty"` // once, when it is made

	reach           Reach
	token, madeBy   string
	address, sealed string // sealed, both
}

// HookList is all webhooks of a program.
type HookList struct {
	Items []Hook `json:"items"`
}

// Delivery is a message of a webhook.
type Delivery struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"`
	Ticket   string    `json:"ticket"`
	State    string    `json:"state"` // waiting, sent or failed
	Attempts int       `json:"attempts"`
	Status   int       `json:"status,omitempty"` // of the last answer
	Problem  string    `json:"problem,omitempty"`
	MadeAt   time.Time `json:"made_at"`
}

// DeliveryList is the last messages of a webhook.
type DeliveryList struct {
	Items []Delivery `json:"items"`
}

// purpose seals the addresses and the secrets of webhooks.
const purpose = "helpdesk.webhook"

// mostHooks is how many webhooks one token has, and how many the desk has of its own.
const mostHooks = 20

// alive are the webhooks of the desk itself, and of tokens that still open something.
const alive = " WHERE (token_id = '' OR EXISTS (SELECT 1 FROM helpdesk_tokens k WHERE k.id = helpdesk_hooks.token_id AND k.revoked_at = 0 AND k.ends_at > $1))"

// AddHook keeps a webhook; its secret is in the answer and nowhere else.
func (a *API) AddHook(ctx context.Context, o HookOrder, reach Reach, token, by string) (Hook, error) {
	label := strings.TrimSpace(o.Label)
	if label == "" || len(label) > 100 {
		return Hook{}, Unfit.With(fault.Args{"field": "label"})
	}
	if o.Shape == "" {
		o.Shape = shapes[0]
	}
	if !slices.Contains(shapes, o.Shape) {
		return Hook{}, Unfit.With(fault.Args{"field": "shape"})
	}
	for _, kind := range o.Kinds {
		if !slices.Contains(Kinds, kind) {
			return Hook{}, Unfit.With(fault.Args{"field": "kinds"})
		}
	}
	for _, queue := range o.Queues {
		q, err := a.openQueue(ctx, queue)
		if err == nil && !reach.HasQueue(q) {
			err = Unfit.With(fault.Args{"field": "queues"})
		}
		if err != nil {
			return Hook{}, err
		}
	}
	if len(o.Queues) > 0 {
		reach.Queues = o.Queues
	}
	u, err := a.target(o.URL)
	if err != nil {
		return Hook{}, err
	}
	key := make([]byte, 32)
	rand.Read(key) // never fails since Go 1.24: the program stops instead
	h := Hook{ID: id.New(), Label: label, Host: u.Host, Shape: o.Shape, Kinds: append([]string{}, o.Kinds...), Queues: append([]string{}, reach.Queues...), Secret: "whsec_" + base64.StdEncoding.EncodeToString(key)}
	address, err := a.Keys.SealText(purpose, u.String())
	if err != nil {
		return Hook{}, fmt.Errorf("seal an address: %w", err)
	}
	secret, err := a.Keys.SealText(purpose, h.Secret)
	if err != nil {
		return Hook{}, fmt.Errorf("seal a secret: %w", err)
	}
	queues, campuses := reach.texts()
	err = a.DB.InTx(ctx, func(tx db.Tx) error {
		var there int
		if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM helpdesk_hooks WHERE token_id = $1", token).Scan(&there); err != nil {
			return err
		}
		if there >= mostHooks { // each is told of every change, within its transaction
			return Unfit.With(fault.Args{"field": "webhooks"})
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO helpdesk_hooks (id, label, address, host, shape, kinds, queues, campuses, secret, made_by, token_id, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
			h.ID, h.Label, address, h.Host, h.Shape, list(h.Kinds), queues, campuses, secret, by, token, tx.Now())
		return err
	})
	if err != nil {
		return Hook{}, fmt.Errorf("keep a webhook: %w", err)
	}
	return h, nil
}

// hooks lists webhooks; the clause narrows.
func (a *API) hooks(ctx context.Context, q db.Querier, clause string, args ...any) ([]Hook, error) {
	var all []Hook
	err := db.Each(ctx, q, "SELECT id, label, address, host, shape, kinds, queues, campuses, secret, made_by, token_id FROM helpdesk_hooks"+clause+" ORDER BY made_at, id", args, func(rows *sql.Rows) error {
		var h Hook
		var kinds, queues, campuses string
		if err := rows.Scan(&h.ID, &h.Label, &h.address, &h.Host, &h.Shape, &kinds, &queues, &campuses, &h.sealed, &h.madeBy, &h.token); err != nil {
			return err
		}
		var err error
		if h.reach, err = readReach(queues, campuses); err != nil {
			return err
		}
		h.Queues = h.reach.Queues
		all = append(all, h)
		return json.Unmarshal([]byte(kinds), &all[len(all)-1].Kinds)
	})
	if err != nil {
		return nil, fmt.Errorf("list webhooks: %w", err)
	}
	return all, nil
}

// happened are the events of a change, as webhooks are told of them.
func happened(h ticket.Happening) (list []event) {
	if h.Opened() {
		return []event{{"ticket.opened", nil}}
	}
	for _, m := range h.Messages {
		switch {
		case m.Internal:
			list = append(list, event{"ticket.noted", nil})
		case m.By.Role == ticket.Agent:
			list = append(list, event{"ticket.answered", nil})
		case m.By.Role == ticket.Requester || m.By.Role == ticket.Other:
			list = append(list, event{"ticket.replied", nil})
		}
	}
	for _, e := range h.Events {
		if kind := "ticket." + e.Kind; slices.Contains(Kinds, kind) {
			facts := e.Facts
			if e.Kind == "assigned" { // who works on it is nobody else's affair
				facts = nil
			}
			list = append(list, event{kind, facts})
		}
	}
	return list
}

type event struct {
	kind  string
	facts map[string]string
}

// deliver is the job that sends one message.
type deliver struct {
	Delivery string `json:"delivery"`
}

// JobName is the job's name.
func (deliver) JobName() string { return "helpdesk.api.deliver" }

// TicketChanged implements [ticket.Follower]: who wants to be told is told after the
// commit.
func (a *API) TicketChanged(ctx context.Context, tx db.Tx, h ticket.Happening) error {
	events := happened(h)
	if len(events) == 0 {
		return nil
	}
	all, err := a.hooks(ctx, tx, alive, tx.Now())
	if err != nil {
		return err
	}
	for _, hook := range all {
		if !hook.reach.Has(h.After) {
			continue
		}
		for _, e := range events {
			if len(hook.Kinds) > 0 && !slices.Contains(hook.Kinds, e.kind) {
				continue
			}
			facts, err := json.Marshal(e.facts)
			if err != nil {
				return fmt.Errorf("tell a webhook: %w", err)
			}
			one := id.New()
			if _, err := tx.ExecContext(ctx, "INSERT INTO helpdesk_deliveries (id, hook_id, ticket_id, kind, facts, state, attempts, status, problem, made_at, tried_at) VALUES ($1, $2, $3, $4, $5, 'waiting', 0, 0, '', $6, 0)",
				one, hook.ID, h.After.ID, e.kind, string(facts), tx.Now()); err != nil {
				return fmt.Errorf("tell a webhook: %w", err)
			}
			if err := jobs.Enqueue(ctx, tx, deliver{one}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Notice is what a receiver reads.
type Notice struct {
	Type      string            `json:"type"`
	Timestamp string            `json:"timestamp"` // RFC 3339
	Facts     map[string]string `json:"facts,omitempty"`
	Data      Ticket            `json:"data"`
}

// deliver sends a message. It has the same identifier each time, by which a receiver
// knows that it had it already (https://www.standardwebhooks.com).
func (a *API) deliver(ctx context.Context, d deliver) error {
	var hookID, ticketID, kind, facts, state string
	var made db.Time
	err := a.DB.Read().QueryRowContext(ctx, "SELECT hook_id, ticket_id, kind, facts, state, made_at FROM helpdesk_deliveries WHERE id = $1", d.Delivery).Scan(&hookID, &ticketID, &kind, &facts, &state, &made)
	if errors.Is(err, sql.ErrNoRows) || err == nil && state == "sent" {
		return nil // removed meanwhile, or sent by a run that was cut off
	}
	if err != nil {
		return fmt.Errorf("read a delivery: %w", err)
	}
	found, err := a.hooks(ctx, a.DB.Read(), alive+" AND id = $2", a.DB.Now(), hookID)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return nil
	}
	t, err := a.Tickets.ByID(ctx, ticketID)
	if errors.Is(err, ticket.Missing) {
		return nil
	}
	if err != nil {
		return err
	}
	if !found[0].reach.Has(t) { // it moved away meanwhile: nothing of it is told
		return a.DB.InTx(ctx, func(tx db.Tx) error {
			_, err := tx.ExecContext(ctx, "DELETE FROM helpdesk_deliveries WHERE id = $1", d.Delivery)
			return err
		})
	}
	agents, err := a.agents(ctx, t)
	if err != nil {
		return err
	}
	n := Notice{Type: kind, Timestamp: made.Time().Format(time.RFC3339), Data: a.told(t, agents)}
	if err := json.Unmarshal([]byte(facts), &n.Facts); err != nil {
		return jobs.GiveUp(fmt.Errorf("read a delivery: %w", err))
	}
	status, failure := a.post(ctx, found[0], d.Delivery, n)
	return a.note(ctx, d.Delivery, status, failure)
}

// note keeps what became of an attempt. Its error has the job tried again.
func (a *API) note(ctx context.Context, delivery string, status int, failure error) error {
	problem, state := "", "sent"
	if failure != nil {
		state, problem = "waiting", strings.ToValidUTF8(failure.Error(), "")
		problem = strings.ToValidUTF8(problem[:min(len(problem), 300)], "")
	}
	err := a.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE helpdesk_deliveries SET attempts = attempts + 1, status = $1, problem = $2, tried_at = $3, state = CASE WHEN $4 = 'waiting' AND attempts + 1 >= $5 THEN 'failed' ELSE $4 END WHERE id = $6",
			status, problem, tx.Now(), state, attempts, delivery)
		return err
	})
	if err != nil {
		return fmt.Errorf("note a delivery: %w", err)
	}
	if failure != nil {
		return Undelivered.Because(failure, fault.Args{"status": status})
	}
	return nil
}

// post makes the message and sends it.
func (a *API) post(ctx context.Context, h Hook, delivery string, n Notice) (status int, err error) {
	address, err := a.Keys.OpenText(purpose, h.address)
	if err != nil {
		return 0, fmt.Errorf("open an address: %w", err)
	}
	secret, err := a.Keys.OpenText(purpose, h.sealed)
	if err != nil {
		return 0, fmt.Errorf("open a secret: %w", err)
	}
	var body []byte
	if h.Shape == "standard" {
		body, err = json.Marshal(n)
	} else { // both read the same few fields
		body, err = json.Marshal(map[string]string{"text": worded(n, h.Shape)})
	}
	if err != nil {
		return 0, fmt.Errorf("make a message: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("make a message: %w", err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return 0, fmt.Errorf("read a secret: %w", err)
	}
	name, when := "msg_"+strings.ReplaceAll(delivery, "-", ""), strconv.FormatInt(a.Clock.Now().Unix(), 10)
	r.Header = http.Header{"Content-Type": {"application/json"}, "User-Agent": {"Amphi"}, "Webhook-Id": {name}, "Webhook-Timestamp": {when}, "Webhook-Signature": {"v1," + Sign(key, name, when, body)}}
	answer, err := a.client.Do(r)
	if err != nil {
		if whole := (*url.Error)(nil); errors.As(err, &whole) { // it names the address, by which some receivers are known
			err = whole.Err
		}
		return 0, fmt.Errorf("send a message to %s: %w", h.Host, err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)); err != nil {
		return answer.StatusCode, fmt.Errorf("read the answer: %w", err)
	}
	if answer.StatusCode/100 != 2 {
		return answer.StatusCode, fmt.Errorf("the receiver answered %d", answer.StatusCode)
	}
	return answer.StatusCode, nil
}

// worded is a message for a room of people: what happened, and where to look. Signs
// that would call people together or hide a link are taken apart.
func worded(n Notice, shape string) string {
	subject := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(n.Data.Subject)
	link := "<" + n.Data.URL + "|" + ticket.Spoken(n.Data.Number) + ">"
	if shape == "mattermost" {
		subject = strings.NewReplacer("@", "@\u200b", "[", "(", "]", ")", "<", "‹", ">", "›").Replace(n.Data.Subject)
		link = "[" + ticket.Spoken(n.Data.Number) + "](" + n.Data.URL + ")"
	}
	return link + " " + strings.TrimPrefix(n.Type, "ticket.") + " · " + subject + " (" + n.Data.State + ", " + n.Data.Priority + ")"
}

// Sign is the signature of a message: base64 of HMAC-SHA256 over its identifier, its
// time in seconds and its body, with dots between.
func Sign(key []byte, name, when string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(name + "." + when + "."))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// deliveries are the last messages of a webhook.
func (a *API) deliveries(ctx context.Context, hook string) ([]Delivery, error) {
	all := []Delivery{}
	err := db.Each(ctx, a.DB.Read(), "SELECT d.id, d.kind, t.number, d.state, d.attempts, d.status, d.problem, d.made_at FROM helpdesk_deliveries d JOIN helpdesk_tickets t ON t.id = d.ticket_id WHERE d.hook_id = $1 ORDER BY d.made_at DESC, d.id DESC LIMIT 100", []any{hook}, func(rows *sql.Rows) error {
		var d Delivery
		var made db.Time
		err := rows.Scan(&d.ID, &d.Kind, &d.Ticket, &d.State, &d.Attempts, &d.Status, &d.Problem, &made)
		d.MadeAt = made.Time()
		all = append(all, d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	return all, nil
}

// Again sends a message anew, with the identifier that it had.
func (a *API) Again(ctx context.Context, hook, delivery string) error {
	return a.DB.InTx(ctx, func(tx db.Tx) error {
		result, err := tx.ExecContext(ctx, "UPDATE helpdesk_deliveries SET state = 'waiting', attempts = 0 WHERE id = $1 AND (hook_id = $2 OR $2 = '')", delivery, hook)
		if err != nil {
			return fmt.Errorf("send again: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, Unknown)
		}
		return jobs.Enqueue(ctx, tx, deliver{delivery}, jobs.UniqueKey(delivery))
	})
}

// DropHook removes a webhook; token narrows it to those of a program.
func (a *API) DropHook(ctx context.Context, hook, token string) error {
	return a.DB.InTx(ctx, func(tx db.Tx) error {
		result, err := tx.ExecContext(ctx, "DELETE FROM helpdesk_hooks WHERE id = $1 AND (token_id = $2 OR $2 = '')", hook, token)
		if err != nil {
			return fmt.Errorf("remove a webhook: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, Unknown)
		}
		return nil
	})
}

// own is a webhook that the program of a request made.
func (a *API) own(v visit) (Hook, error) {
	found, err := a.hooks(v.Context(), a.DB.Read(), " WHERE id = $1 AND token_id = $2", v.PathValue("id"), v.token.ID)
	if err == nil && len(found) == 0 {
		err = Unknown
	}
	if err != nil {
		return Hook{}, err
	}
	return found[0], nil
}

func (a *API) listHooks(w http.ResponseWriter, v visit) error {
	all, err := a.hooks(v.Context(), a.DB.Read(), " WHERE token_id = $1", v.token.ID)
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, HookList{append([]Hook{}, all...)})
}

func (a *API) addHook(w http.ResponseWriter, v visit) error {
	var o HookOrder
	if _, err := v.read(&o); err != nil {
		return err
	}
	h, err := a.AddHook(v.Context(), o, v.token.Reach, v.token.ID, "")
	if err != nil {
		return err
	}
	return send(w, http.StatusCreated, h)
}

func (a *API) dropHook(w http.ResponseWriter, v visit) error {
	if err := a.DropHook(v.Context(), v.PathValue("id"), v.token.ID); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) listDeliveries(w http.ResponseWriter, v visit) error {
	h, err := a.own(v)
	if err != nil {
		return err
	}
	all, err := a.deliveries(v.Context(), h.ID)
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, DeliveryList{all})
}

func (a *API) again(w http.ResponseWriter, v visit) error {
	h, err := a.own(v)
	if err != nil {
		return err
	}
	if err := a.Again(v.Context(), h.ID, v.PathValue("delivery")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}
