// Package webhook tells a program of anybody's own what accounts should be, as
// signed messages of the Standard Webhooks specification
// (https://www.standardwebhooks.com).
//
// Each message is signed together with its identifier and its time. A receiver
// refuses what is older than five minutes, and a second message with an
// identifier that it knows is the same one again, because an answer got lost:
// every decision about an account has its own identifier, and keeps it.
package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
)

// Config is what is particular to a webhook.
type Config struct {
	Secret string `toml:"secret" secret:"true" help:"webhook: whsec_ and 24 to 64 bytes in base64, which both sides know"`
}

// Key is the secret as bytes.
func (c Config) Key() ([]byte, error) {
	encoded, ok := strings.CutPrefix(c.Secret, "whsec_")
	if !ok {
		return nil, fmt.Errorf("the secret must begin with whsec_")
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("the secret must be whsec_ and base64: %w", err)
	}
	if len(key) < 24 || len(key) > 64 {
		return nil, fmt.Errorf("the secret must hold 24 to 64 bytes, not %d", len(key))
	}
	return key, nil
}

// Webhook is one receiver.
type Webhook struct {
	caller *target.Caller
	name   string
	key    []byte
	now    func() time.Time
}

var _ target.Target = (*Webhook)(nil)

// New is the connector of a receiver. Name is part of the identifiers.
func New(line target.Line, name string, c Config) (*Webhook, error) {
	key, err := c.Key()
	if err != nil {
		return nil, err
	}
	caller, err := target.NewCaller(line, nil, c.Secret)
	if err != nil {
		return nil, err
	}
	now := line.Now
	if now == nil {
		now = time.Now
	}
	return &Webhook{caller: caller, name: name, key: key, now: now}, nil
}

// message is what a receiver reads.
type message struct {
	Type      string  `json:"type"`
	Timestamp string  `json:"timestamp"` // RFC 3339
	Data      payload `json:"data"`
}

type payload struct {
	target.Account
	ID string `json:"id"` // the receiver's own identifier, when it gave one
}

// send delivers one message and returns the identifier that the receiver gave
// the account; it may give none.
func (h *Webhook) send(ctx context.Context, kind, account string, a target.Account) (string, error) {
	at := h.now()
	body, err := json.Marshal(message{Type: kind, Timestamp: at.UTC().Format(time.RFC3339), Data: payload{a, account}})
	if err != nil {
		return "", fmt.Errorf("sign a message: %w", err)
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{h.name, kind, a.Key, strconv.FormatInt(a.Occasion, 10)}, "\n")))
	id := "msg_" + hex.EncodeToString(sum[:16])
	when := strconv.FormatInt(at.Unix(), 10)
	answer, err := h.caller.Do(ctx, http.MethodPost, "", http.Header{
		"Content-Type": {"application/json"}, "Webhook-Id": {id}, "Webhook-Timestamp": {when}, "Webhook-Signature": {"v1," + Sign(h.key, id, when, body)},
	}, body)
	switch {
	case err != nil:
		return "", err
	case answer.Status == http.StatusConflict:
		return "", h.caller.Fail(target.Taken, "status 409: %s", answer.Body)
	case answer.Status == http.StatusGone, answer.Status == http.StatusNotFound && account != "":
		return "", h.caller.Fail(target.Gone, "status %d: %s", answer.Status, answer.Body)
	case answer.Status >= 300:
		return "", h.caller.Fail(target.Refused, "status %d: %s", answer.Status, answer.Body)
	}
	var said struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(answer.Body, &said) != nil || said.ID == "" { // a receiver need not answer with anything
		return a.Key, nil
	}
	return said.ID, nil
}

// Sign is the signature of a message: base64 of HMAC-SHA256 over its identifier,
// its time in seconds and its body, with dots between.
func Sign(key []byte, id, when string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + when + "."))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Blind implements [target.Blind].
func (h *Webhook) Blind() {}

// Find implements [target.Target]: a receiver is not asked. A message that
// reaches it twice has the same identifier, by which it knows.
func (h *Webhook) Find(context.Context, target.Account) (target.Remote, bool, error) {
	return target.Remote{}, false, nil
}

// At implements [target.Target]: a receiver is not asked.
func (h *Webhook) At(context.Context, string, target.Account) (target.Remote, bool, error) {
	return target.Remote{}, false, nil
}

// Create implements [target.Target].
func (h *Webhook) Create(ctx context.Context, a target.Account) (string, error) {
	return h.send(ctx, "account.created", "", a)
}

// Change implements [target.Target].
func (h *Webhook) Change(ctx context.Context, account string, a target.Account) error {
	_, err := h.send(ctx, "account.changed", account, a)
	return err
}

// Suspend implements [target.Target].
func (h *Webhook) Suspend(ctx context.Context, account string, a target.Account) error {
	_, err := h.send(ctx, "account.suspended", account, a)
	return err
}

// Delete implements [target.Target].
func (h *Webhook) Delete(ctx context.Context, account string, a target.Account) error {
	_, err := h.send(ctx, "account.deleted", account, target.Account{Key: a.Key, Login: a.Login, Occasion: a.Occasion})
	return err
}

// Probe implements [target.Target]: a message of type "ping".
func (h *Webhook) Probe(ctx context.Context) (string, error) {
	if _, err := h.send(ctx, "ping", "", target.Account{Occasion: h.now().UnixNano()}); err != nil {
		return "", err
	}
	return "ping", nil
}
