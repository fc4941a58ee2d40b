package samlsp

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/saml"
	"github.com/amphi-campus/amphi/internal/testenv/need"
)

// lasso signs somebody in for the request that an address carries.
func lasso(t *testing.T, h *house, address string, encrypted bool) (upstream.Return, error) {
	t.Helper()
	python := need.Program(t, "lasso")
	dir := t.TempDir()
	file := func(name string, content []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	key, err := h.idp.key.Encode()
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := saml.WriteMetadata(h.idp.entity, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, ours, err := h.Describe(t.Context(), answerURL)
	if err != nil {
		t.Fatal(err)
	}
	file("idp.key", key)
	file("idp.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.idp.key.Certificate.Raw}))
	file("idp.xml", theirs)
	file("sp.xml", ours)
	mode := "plain"
	if encrypted {
		mode = "encrypted"
	}
	cmd := exec.CommandContext(t.Context(), python, "testdata/idp.py", dir, mode)
	_, query, _ := strings.Cut(address, "?")
	cmd.Stdin = strings.NewReader(query)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Logf("lasso: %s", errs.String())
		return upstream.Return{}, err
	}
	var answer struct{ URL, Answer, Relay string }
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	if answer.URL != answerURL {
		t.Errorf("lasso answers to %s", answer.URL)
	}
	return upstream.Return{Method: http.MethodPost, Values: url.Values{"SAMLResponse": {answer.Answer}, "RelayState": {answer.Relay}}}, nil
}

// Another implementation reads our metadata and our request, and we its answer.
func TestLassoSignsSomebodyIn(t *testing.T) {
	for name, encrypted := range map[string]bool{"in the open": false, "encrypted": true} {
		t.Run(name, func(t *testing.T) {
			h := open(t, func(c *upstream.Config) { c.SAML.AllowCBC = true })
			h.clock.Set(time.Now()) // lasso has its own clock
			tr, _, to := h.leaves()
			back, err := lasso(t, h, to.URL, encrypted)
			if err != nil {
				t.Fatal(err)
			}
			if h.Token(back) != tr.Token {
				t.Errorf("the token came back as %q", h.Token(back))
			}
			a, err := h.Receive(t.Context(), back, tr)
			if err != nil {
				t.Fatal(err)
			}
			if a.Subject != "d41d8cd98f" || a.Issuer != theirName || len(a.Attributes["mail"]) != 1 || a.Attributes["mail"][0] != "amelie@univ.example" {
				t.Errorf("got %+v", a)
			}
		})
	}
}

func TestLassoRefusesARequestThatWasChanged(t *testing.T) {
	h := open(t)
	h.clock.Set(time.Now())
	_, _, to := h.leaves()
	changed := strings.Replace(to.URL, "RelayState=token", "RelayState=other", 1)
	if changed == to.URL {
		t.Fatal("nothing changed")
	}
	if _, err := lasso(t, h, changed, false); err == nil {
		t.Error("the signature of our requests is not looked at, so the other test proves nothing about it")
	}
}
