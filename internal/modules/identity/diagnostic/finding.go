package diagnostic

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Check is one thing that the self-test looks at.
type Check string

// The checks, in the order in which they are shown.
const (
	Cookies  Check = "cookies"  // does the browser bring a cookie back
	Posts    Check = "posts"    // does it send forms, and follow where they lead
	Scripts  Check = "scripts"  // does it run ours
	Requests Check = "requests" // may our scripts ask the server
	Storage  Check = "storage"  // may they keep something
	Clock    Check = "clock"    // is the device on time
	Passkeys Check = "passkeys" // can it use keys and passkeys (WebAuthn)
	App      Check = "app"      // is it a browser, or a page inside another app
	Size     Check = "size"     // how much it sends with each request
)

// Verdict says how a check went.
type Verdict string

// The verdicts. Unknown is for what cannot be seen without scripts.
const (
	Fine    Verdict = "fine"
	Doubt   Verdict = "doubt"
	Wrong   Verdict = "wrong"
	Unknown Verdict = "unknown"
)

// Finding is what one check found. Its words are
// [identity.diagnostic.found.CHECK.CASE].
type Finding struct {
	Check   Check   `json:"check"`
	Verdict Verdict `json:"verdict"`
	Case    string  `json:"case"`             // which of the check's sentences fits
	Number  int     `json:"number,omitempty"` // seconds, bytes or a count, for the sentence
}

// Result is a finished self-test.
type Result struct {
	At       time.Time `json:"at"`
	Findings []Finding `json:"findings"`
}

// Read reads the JSON that was attached to an incident.
func Read(attached string) (Result, error) {
	var r Result
	if err := json.Unmarshal([]byte(attached), &r); err != nil {
		return Result{}, fmt.Errorf("read the self-test of a browser: %w", err)
	}
	return r, nil
}

// Worst is the finding that explains most: the first wrong one, else the first
// doubt. ok is false when nothing is the matter.
func (r Result) Worst() (f Finding, ok bool) {
	for _, v := range []Verdict{Wrong, Doubt} {
		for _, f := range r.Findings {
			if f.Verdict == v {
				return f, true
			}
		}
	}
	return Finding{}, false
}

// Title names the check, Text says what was found, and Next what to do about
// it; Next is empty when there is nothing to do.
func (f Finding) Title(ctx context.Context) string {
	return i18n.T(ctx, "identity.diagnostic.check."+string(f.Check))
}

// Text says what was found, see Title.
func (f Finding) Text(ctx context.Context) string {
	return i18n.T(ctx, f.key("text"), "number", f.number())
}

// Next says what to do about it, see Title.
func (f Finding) Next(ctx context.Context) string {
	if p := i18n.Of(ctx); p != nil && !p.Has(f.key("next")) {
		return ""
	}
	return i18n.T(ctx, f.key("next"), "number", f.number())
}

func (f Finding) key(part string) string {
	return "identity.diagnostic.found." + string(f.Check) + "_" + f.Case + "." + part
}

// number words the number as its check means it.
func (f Finding) number() any {
	switch f.Check {
	case Clock:
		return time.Duration(f.Number) * time.Second
	case Size:
		return i18n.Bytes(f.Number)
	default:
		return strconv.Itoa(f.Number)
	}
}

// inApps are marks of pages that open inside another app: these views have
// cookies of their own and mostly no passkeys.
var inApps = regexp.MustCompile(`FBA[NV]/|FB_IAB|Instagram|\bLine/|MicroMessenger|; wv\)|\bGSA/|LinkedInApp|Snapchat|musical_ly|BytedanceWebview|TikTok|Twitter for|Pinterest/|WhatsApp/`)

// inApp reports whether a User-Agent header is that of a page inside an app.
func inApp(agent string) bool { return inApps.MatchString(agent) }

// lateBy is how far the clock of a device may be off before codes of an
// authenticator app on it are refused: they change every 30 seconds.
const lateBy = 30 * time.Second

// clockFinding compares the clock of a device with ours.
func clockFinding(theirs, ours time.Time) Finding {
	d := theirs.Sub(ours).Round(time.Second)
	switch {
	case d > lateBy:
		return Finding{Clock, Wrong, "ahead", seconds(d)}
	case d < -lateBy:
		return Finding{Clock, Wrong, "behind", seconds(-d)}
	}
	return Finding{Clock, Fine, "right", 0}
}

// seconds is a duration in whole seconds, up to ten years: a clock can be off by
// more than a number is worth.
func seconds(d time.Duration) int { return int(min(d, 10*365*24*time.Hour) / time.Second) }

// Above these, services and proxies on the way begin to refuse requests: 8 KiB
// is a common limit for all headers together.
const (
	manyBytes    = 4 << 10
	tooManyBytes = 7 << 10
	manyCookies  = 20
)

// sizeFinding weighs the cookies that a browser sends.
func sizeFinding(bytes, count int) Finding {
	switch {
	case bytes >= tooManyBytes:
		return Finding{Size, Wrong, "large", bytes}
	case bytes >= manyBytes || count > manyCookies:
		return Finding{Size, Doubt, "many", bytes}
	}
	return Finding{Size, Fine, "small", bytes}
}
