package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

var testClosed = Declare(Conflict, "faulttest.closed")

func TestAReasonIsFoundThroughWrapping(t *testing.T) {
	cause := errors.New("disk full")
	for name, err := range map[string]error{
		"as it is":     testClosed,
		"with facts":   testClosed.With(Args{"n": 1}),
		"from a cause": testClosed.From(cause),
		"wrapped":      fmt.Errorf("reply: %w", testClosed.Because(cause, Args{"n": 1})),
	} {
		if !errors.Is(err, testClosed) || Of(err).Reason != testClosed {
			t.Errorf("%s: the reason is lost in %v", name, err)
		}
	}
	if err := fmt.Errorf("x: %w", testClosed.From(cause)); !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
}

func TestTheLogDoesNotHoldWhatIsPrivate(t *testing.T) {
	err := fmt.Errorf("enter: %w", testClosed.With(Args{"n": 1, "person": Private("Lina Martin")}))
	if text := err.Error(); text != "enter: faulttest.closed n=1 person=…" {
		t.Errorf("the log says %q", text)
	}
	if said := fmt.Sprint(Of(err).Args["person"]); said != "Lina Martin" {
		t.Errorf("the sentence says %q", said)
	}
}

func TestAnUnknownErrorIsUnexpectedAndKeepsItsCause(t *testing.T) {
	err := errors.New("boom")
	if f := Of(err); f.Reason != Unexpected || !errors.Is(f, err) {
		t.Errorf("got %v", f)
	}
	if f := Of(fmt.Errorf("x: %w", context.DeadlineExceeded)); f.Reason != TimedOut {
		t.Errorf("got %v", f)
	}
}

func TestACodeIsDeclaredOnceAndWellFormed(t *testing.T) {
	for _, code := range []string{"faulttest.closed", "nodot", "Upper.case", ".x", "x."} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q was accepted", code)
				}
			}()
			Declare(Invalid, code)
		}()
	}
}

func TestTheLogShowsFactsInOrder(t *testing.T) {
	err := testClosed.Because(errors.New("why"), Args{"b": 2, "a": 1})
	if got := err.Error(); !strings.HasPrefix(got, "faulttest.closed a=1 b=2: why") {
		t.Errorf("got %q", got)
	}
}
