package mailer

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// provider is a gateway that remembers the last request and answers as told.
type provider struct {
	*httptest.Server
	method, path, body, auth, mediaType string
	requests                            int
	answer                              func(http.ResponseWriter)
}

func newProvider(t *testing.T, answer func(http.ResponseWriter)) *provider {
	t.Helper()
	p := &provider{answer: answer}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		p.requests++
		p.method, p.path, p.body = r.Method, r.URL.RequestURI(), string(body)
		p.auth, p.mediaType = r.Header.Get("Authorization"), r.Header.Get("Content-Type")
		p.answer(w)
	}))
	t.Cleanup(p.Close)
	return p
}

func status(code int, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body) // a client that hung up is part of a test
	}
}

func gatewayConfig(p *provider) SMSConfig {
	c := Defaults().SMS
	c.Transport, c.URL, c.Secret, c.IDPath = TransportHTTP, p.URL+"/messages", "k3y", "messages.0.id"
	c.Headers = map[string]string{"Authorization": "Bearer {secret}"}
	c.Body = `{"to":"{to}","text":"{text}","ref":"{id}"}`
	return c
}

func deliverSMS(t *testing.T, c SMSConfig, text string) (string, error) {
	t.Helper()
	whole := Defaults()
	whole.SMS = c
	if problems := whole.Check(); len(problems) > 0 {
		t.Fatal(problems)
	}
	return newGateway(c).deliver(t.Context(), "018f", SMS{To: "+33612345678", Text: text})
}

func TestAShortMessageFillsTheProvidersTemplate(t *testing.T) {
	p := newProvider(t, status(202, `{"messages":[{"id":123456789012345678901}]}`))
	tricky := "Code \"42\" \\ {to} & {secret} é"
	for _, c := range []struct {
		name       string
		change     func(*SMSConfig)
		path, body string
	}{
		{"json", func(*SMSConfig) {}, "/messages", `{"to":"+33612345678","text":"Code \"42\" \\ {to} \u0026 {secret} é","ref":"018f"}`},
		{
			"form", func(c *SMSConfig) { c.Encoding, c.Body = "form", "dest={to}&msg={text}&key={secret}" },
			"/messages", "dest=%2B33612345678&msg=Code+%2242%22+%5C+%7Bto%7D+%26+%7Bsecret%7D+%C3%A9&key=k3y",
		},
		{
			"address", func(c *SMSConfig) { c.Method, c.Body, c.URL = "GET", "", p.URL+"/send?to={to}&text={text}" },
			"/send?to=%2B33612345678&text=Code+%2242%22+%5C+%7Bto%7D+%26+%7Bsecret%7D+%C3%A9", "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := gatewayConfig(p)
			c.change(&config)
			ref, err := deliverSMS(t, config, tricky)
			if err != nil || ref != "123456789012345678901" {
				t.Fatalf("%q, %v", ref, err)
			}
			if p.path != c.path || p.body != c.body || p.auth != "Bearer k3y" || p.method != config.Method {
				t.Fatalf("%s %s %s %s", p.method, p.path, p.auth, p.body)
			}
		})
	}
}

func TestAGatewaysAnswerDecidesWhetherToTryAgain(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(http.ResponseWriter)
		want   error
		last   bool
	}{
		{"a number that does not exist", status(400, "bad number"), Refused, true},
		{"a wrong key", status(401, ""), LoginRefused, false},
		{"too fast", status(429, ""), Unreachable, false},
		{"broken there", status(503, ""), Unreachable, false},
		{"a redirect", func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://elsewhere.example/")
			w.WriteHeader(http.StatusFound)
		}, AnswerUnclear, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newProvider(t, c.answer)
			_, err := deliverSMS(t, gatewayConfig(p), "x")
			if !errors.Is(err, c.want) || hopeless(err) != c.last || p.requests != 1 {
				t.Fatalf("%v, hopeless %v, %d requests", err, hopeless(err), p.requests)
			}
		})
	}
}

func TestOnlyTheConfiguredStatusesMeanAccepted(t *testing.T) {
	p := newProvider(t, status(200, `{"error":"no credit"}`))
	c := gatewayConfig(p)
	c.Success = []int{201}
	if _, err := deliverSMS(t, c, "x"); !errors.Is(err, AnswerUnclear) {
		t.Fatal(err)
	}
}

func TestAnAcceptedMessageWithoutANumberIsNotSentAgain(t *testing.T) {
	for _, body := range []string{"", "OK", `{"messages":[]}`, `{"messages":{"0":{"id":null}}}`, strings.Repeat("x", maxAnswer+10)} {
		p := newProvider(t, status(200, body))
		if ref, err := deliverSMS(t, gatewayConfig(p), "x"); err != nil || ref != "?" {
			t.Errorf("%.20q: %q, %v", body, ref, err)
		}
	}
}

func TestAGatewayThatHangsIsLeftWithoutTellingSecrets(t *testing.T) {
	release := make(chan struct{})
	p := newProvider(t, func(http.ResponseWriter) { <-release })
	defer close(release)
	c := gatewayConfig(p)
	c.URL, c.Timeout = p.URL+"/send?to={to}&text={text}&key={secret}", 100*time.Millisecond
	_, err := deliverSMS(t, c, "482913")
	if !errors.Is(err, Unreachable) {
		t.Fatal(err)
	}
	for _, secret := range []string{"482913", "k3y", "612345678"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the log would tell %s: %v", secret, err)
		}
	}
}

func FuzzValueAtNeverPanics(f *testing.F) {
	f.Add(`{"a":[{"b":1}]}`, "a.0.b")
	f.Add(`[[]]`, "-1.0")
	f.Fuzz(func(_ *testing.T, body, path string) { valueAt([]byte(body), path) })
}
