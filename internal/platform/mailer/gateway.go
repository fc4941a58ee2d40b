package mailer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// maxAnswer bounds what is read of a gateway's answer.
const maxAnswer = 64 << 10

// gateway hands short messages to a provider by one HTTP request each.
type gateway struct {
	config SMSConfig
	client *http.Client
}

func newGateway(c SMSConfig) *gateway {
	return &gateway{config: c, client: &http.Client{
		Timeout: c.Timeout,
		// A redirect would carry the secret and the code to an address that nobody configured.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (g *gateway) deliver(ctx context.Context, id string, m SMS) (ref string, err error) {
	request, err := g.request(ctx, id, m)
	if err != nil {
		return "", err
	}
	answer, err := g.client.Do(request)
	if err != nil {
		return "", Unreachable.From(g.discreet(err))
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return "", Unreachable.From(fmt.Errorf("read the gateway's answer: %w", err))
	}
	if err := g.judge(answer.StatusCode); err != nil {
		return "", err
	}
	if g.config.IDPath == "" {
		return "", nil
	}
	ref, found := valueAt(body, g.config.IDPath)
	if !found {
		// It said "accepted": sending again would ring the phone twice, so this is only noted.
		return "?", nil
	}
	return ref, nil
}

func (g *gateway) request(ctx context.Context, id string, m SMS) (*http.Request, error) {
	values := map[string]string{"to": m.To, "text": m.Text, "id": id, "secret": g.config.Secret}
	encode := jsonPiece
	mediaType := "application/json"
	if g.config.Encoding == "form" {
		encode, mediaType = url.QueryEscape, "application/x-www-form-urlencoded"
	}
	var body io.Reader
	if g.config.Method != http.MethodGet {
		body = strings.NewReader(fill(g.config.Body, values, encode))
	}
	request, err := http.NewRequestWithContext(ctx, g.config.Method, fill(g.config.URL, values, url.QueryEscape), body)
	if err != nil {
		return nil, AnswerUnclear.From(g.discreet(err))
	}
	if body != nil {
		request.Header.Set("Content-Type", mediaType)
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "Amphi")
	for name, value := range g.config.Headers {
		filled := fill(value, values, func(s string) string { return s })
		if !oneLine(filled) {
			return nil, TextMalformed
		}
		request.Header.Set(name, filled)
	}
	return request, nil
}

// judge reads a status: accepted, come back later, who are you, or never.
func (g *gateway) judge(status int) error {
	accepted := status >= 200 && status <= 299
	if len(g.config.Success) > 0 {
		accepted = slices.Contains(g.config.Success, status)
	}
	said := fault.Args{"answer": status}
	switch {
	case accepted:
		return nil
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return LoginRefused.With(said)
	case status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status >= 500:
		return Unreachable.With(said)
	case status >= 400:
		return Refused.With(said)
	}
	return AnswerUnclear.With(said)
}

// discreet drops the address from an error of net/http: it may hold the number, the text and the
// secret.
func (g *gateway) discreet(err error) error {
	var whole *url.Error
	if errors.As(err, &whole) {
		return whole.Err
	}
	return err
}

// fill replaces {name} by its value in one pass, so that a value that looks like a placeholder stays
// as it is.
func fill(template string, values map[string]string, encode func(string) string) string {
	pairs := make([]string, 0, 2*len(values))
	for name, value := range values {
		pairs = append(pairs, "{"+name+"}", encode(value))
	}
	return strings.NewReplacer(pairs...).Replace(template)
}

// jsonPiece is the text as it stands between the quotes of a JSON string.
func jsonPiece(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		return "" // a string always encodes
	}
	return string(quoted[1 : len(quoted)-1])
}

// valueAt walks a dotted path ("messages.0.id") into a JSON answer.
func valueAt(body []byte, path string) (string, bool) {
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber() // message numbers are longer than a float is exact
	var at any
	if decoder.Decode(&at) != nil {
		return "", false
	}
	for _, step := range strings.Split(path, ".") {
		switch inner := at.(type) {
		case map[string]any:
			at = inner[step]
		case []any:
			index, err := strconv.Atoi(step)
			if err != nil || index < 0 || index >= len(inner) {
				return "", false
			}
			at = inner[index]
		default:
			return "", false
		}
	}
	switch value := at.(type) {
	case string:
		return value, true
	case json.Number:
		return value.String(), true
	}
	return "", false
}
