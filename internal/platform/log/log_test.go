package log

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretsStayOutOfTheLog(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		logger, err := New(Config{Format: format, Level: "debug"}, &out)
		if err != nil {
			t.Fatal(err)
		}
		logger.With("session_token", "s3cret").WithGroup("request").Info("signed in",
			"password", "s3cret", "Authorization", "Bearer s3cret", "person", "018f",
			"gateway", Secret("s3cret"), slog.Group("smtp", "Password", "s3cret", "host", "mail.example.org"))
		if text := out.String(); strings.Contains(text, "s3cret") || !strings.Contains(text, "018f") || !strings.Contains(text, "mail.example.org") {
			t.Errorf("%s: %s", format, text)
		}
	}
	if text := fmt.Sprintf("%v %s %+v %#v", Secret("s3cret"), Secret("s3cret"), struct{ S Secret }{"s3cret"}, Secret("s3cret")); strings.Contains(text, "s3cret") {
		t.Error(text)
	}
	if Secret("s3cret").Reveal() != "s3cret" {
		t.Error("a secret cannot be used")
	}
}

func TestAnythingButATerminalGetsJSON(t *testing.T) {
	var out bytes.Buffer
	logger, err := New(Config{}, &out)
	if err != nil {
		t.Fatal(err)
	}
	logger.Debug("not at this level")
	logger.Info("listening", "address", "127.0.0.1:8080")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || line["address"] != "127.0.0.1:8080" {
		t.Fatalf("%s %v", out.String(), err)
	}
}

func TestAWrongConfigurationIsRefusedWithTheChoices(t *testing.T) {
	for _, c := range []Config{{Level: "loud"}, {Format: "xml"}} {
		if _, err := New(c, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "it can be") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestMasksKeepWhatTheOwnerRecognises(t *testing.T) {
	for got, want := range map[string]string{
		MaskMail("marie.curie@example.org"): "m…@example.org", MaskMail("m@example.org"): "…@example.org", MaskMail("marie"): "m…",
		MaskPhone("+33612345642"): "…42", MaskPhone("42"): "…", MaskMail("éric@example.org"): "é…@example.org", Mask("", 1, 1): "…",
	} {
		if got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
}
