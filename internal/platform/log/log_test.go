package log

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretsStayOutOfTheLog(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		logger := New(Config{Format: format, Level: "debug"}, &out)
		logger.With("session_token", "s3cret").WithGroup("request").Info("signed in",
			"password", "s3cret", "Authorization", "Bearer s3cret", "person", "018f",
			slog.Group("smtp", "Password", "s3cret", "host", "mail.example.org"))
		if text := out.String(); strings.Contains(text, "s3cret") || !strings.Contains(text, "018f") || !strings.Contains(text, "mail.example.org") {
			t.Errorf("%s: %s", format, text)
		}
	}
}

func TestAnythingButATerminalGetsJSON(t *testing.T) {
	var out bytes.Buffer
	logger := New(Config{}, &out)
	logger.Debug("not at this level")
	logger.Info("listening", "address", "127.0.0.1:8080")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || line["address"] != "127.0.0.1:8080" {
		t.Fatalf("%s %v", out.String(), err)
	}
}

func TestAWrongConfigurationIsRefusedWithTheChoices(t *testing.T) {
	for _, c := range []Config{{Level: "loud"}, {Format: "xml"}} {
		if problems := c.Check(); len(problems) != 1 || !strings.Contains(problems[0].Text, "it can be") {
			t.Errorf("%+v: %v", c, problems)
		}
	}
	if problems := (Config{Level: "WARN", Format: "auto"}).Check(); len(problems) != 0 {
		t.Error(problems)
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
