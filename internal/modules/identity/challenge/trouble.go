package challenge

import (
	"net/http"
	"strconv"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Why a browser gave no answer of a key, as its script tells. They go into the
// story of the sign-in; the person reads the same on the page, at once.
var (
	// KeyUnsupported: this browser has no keys; often it is the one inside an app.
	KeyUnsupported = fault.Declare(fault.Invalid, "identity.key_unsupported")
	// KeyCancelled: the person closed the browser's window, or time ran out.
	KeyCancelled = fault.Declare(fault.Invalid, "identity.key_cancelled")
	// KeyAbsent: the browser refused at once, faster than anybody can: it has no
	// key that fits.
	KeyAbsent = fault.Declare(fault.Invalid, "identity.key_absent")
	// KeySite: the page's address is not the one that keys are bound to.
	KeySite = fault.Declare(fault.Forbidden, "identity.key_site")
	// KeyFailed: another error; the fact error is its name.
	KeyFailed = fault.Declare(fault.Invalid, "identity.key_failed")
)

// tooFast is sooner than anybody closes a window.
const tooFast = 300 * time.Millisecond

// problemOf is what the name of a DOMException means after such a time
// (WebAuthn §5.1.3, §5.1.4).
func problemOf(name string, after time.Duration) error {
	switch name {
	case "NotAllowedError":
		if after < tooFast {
			return KeyAbsent
		}
		return KeyCancelled
	case "NotSupportedError", "Unsupported":
		return KeyUnsupported
	case "SecurityError":
		return KeySite
	default:
		return KeyFailed.With(fault.Args{"error": clip(name)})
	}
}

// clip keeps what can be the name of an error.
func clip(name string) string {
	out := make([]byte, 0, 40)
	for i := 0; i < len(name) && len(out) < cap(out); i++ {
		if c := name[i]; 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			out = append(out, c)
		}
	}
	return string(out)
}

// trouble writes down that the browser gave no answer of a key. The script waits
// for nothing from it.
func (x *Challenge) trouble(w http.ResponseWriter, r *http.Request) error {
	a, _, err := x.actor(r)
	if err != nil {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	after, err := strconv.ParseFloat(values.Get("after"), 64) // milliseconds
	if err != nil || after < 0 || after > float64(time.Hour/time.Millisecond) {
		after = 0
	}
	x.Door.Stumbled(r, a, entry.SecurityKey, problemOf(values.Get("error"), time.Duration(after*float64(time.Millisecond))))
	w.WriteHeader(http.StatusNoContent)
	return nil
}
