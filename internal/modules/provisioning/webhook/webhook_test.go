package webhook_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/provisioning/pretend"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/webhook"
)

var secret = "whsec_" + base64.StdEncoding.EncodeToString([]byte("twenty-four bytes at least"))

func open(t *testing.T) (*pretend.Receiver, *webhook.Webhook) {
	t.Helper()
	there := &pretend.Receiver{}
	server := httptest.NewServer(there)
	t.Cleanup(server.Close)
	h, err := webhook.New(target.Line{Base: server.URL, Timeout: time.Second, Rate: 1000}, "radius", webhook.Config{Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	return there, h
}

var lina = target.Account{Key: "0198-lina", Login: "lmartin", FamilyName: "Martin", Occasion: 1}

func TestAMessageIsSignedWithItsIdentifierAndItsTime(t *testing.T) {
	there, h := open(t)
	if id, err := h.Create(t.Context(), lina); err != nil || id != "0198-lina" {
		t.Fatalf("%q, %v", id, err)
	}
	m := there.Messages()[0]
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if m.Signature != "v1,"+webhook.Sign(key, m.ID, m.Timestamp, m.Body) {
		t.Errorf("signature %q", m.Signature)
	}
	for part, forged := range map[string]string{
		"another time": webhook.Sign(key, m.ID, "1", m.Body), "another message": webhook.Sign(key, "msg_2", m.Timestamp, m.Body),
		"another body": webhook.Sign(key, m.ID, m.Timestamp, []byte("{}")), "another key": webhook.Sign([]byte("x"), m.ID, m.Timestamp, m.Body),
	} {
		if m.Signature == "v1,"+forged {
			t.Errorf("%s has the same signature", part)
		}
	}
	if at, err := strconv.ParseInt(m.Timestamp, 10, 64); err != nil || time.Since(time.Unix(at, 0)).Abs() > time.Minute {
		t.Errorf("time %q", m.Timestamp)
	}
	var body struct {
		Type string
		Data map[string]any
	}
	if err := json.Unmarshal(m.Body, &body); err != nil || body.Type != "account.created" || body.Data["login"] != "lmartin" || body.Data["mail"] != nil {
		t.Errorf("body %s, %v", m.Body, err)
	}
}

// The signature of a message of the specification, so that libraries of others
// accept ours.
func TestTheSignatureIsThatOfTheSpecification(t *testing.T) {
	key, _ := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	got := webhook.Sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if got != "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("signature %s", got)
	}
}

func TestAMessageThatIsSentAgainHasTheSameIdentifier(t *testing.T) {
	there, h := open(t)
	there.Lose(1)
	if _, err := h.Create(t.Context(), lina); !target.Is(err, target.Down) {
		t.Fatalf("the lost answer: %v", err)
	}
	if _, err := h.Create(t.Context(), lina); err != nil {
		t.Fatal(err)
	}
	if n := len(there.Messages()); n != 1 {
		t.Errorf("the receiver took %d messages for different ones", n)
	}
	later := lina
	later.Occasion = 2 // the same content, decided anew
	if err := h.Change(t.Context(), "0198-lina", later); err != nil || len(there.Messages()) != 2 {
		t.Errorf("a later decision: %d messages, %v", len(there.Messages()), err)
	}
}

func TestWhatAReceiverAnswersIsUnderstood(t *testing.T) {
	there, h := open(t)
	for status, kind := range map[int]target.Kind{400: target.Refused, 401: target.Denied, 409: target.Taken, 410: target.Gone, 422: target.Refused, 500: target.Down} {
		there.Status = status
		if err := h.Change(t.Context(), "1", lina); !target.Is(err, kind) {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestASecretThatIsTooShortIsRefused(t *testing.T) {
	for _, bad := range []string{"", "secret", "whsec_", "whsec_!!", "whsec_" + base64.StdEncoding.EncodeToString([]byte("short"))} {
		if _, err := webhook.New(target.Line{Base: "http://localhost", Rate: 1}, "x", webhook.Config{Secret: bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
