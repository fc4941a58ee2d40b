package factor

import (
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
)

// Bar is how well somebody is prepared: for a stolen password, and for the day
// on which a factor is lost.
type Bar struct {
	Level int // 0 no factor … 4 nothing better to do
	// Advice are keys of sentences, the most useful first.
	Advice []string
}

const advice = "identity.factor.advice."

// fewCodes is how many recovery codes are left when it is time for new ones.
const fewCodes = 2

// Health weighs the factors of somebody. With one factor a lost phone locks its
// owner out; a second one or printed codes prevent that; and only a key or
// passkey withstands a copy of our page.
func Health(factors []Factor, now time.Time) Bar {
	alone, codes, key, suspended, gone := 0, 0, false, false, false
	for _, f := range factors {
		switch {
		case !f.SuspendedAt.IsZero():
			suspended = true
		case f.Gone:
			gone = true
		case f.Kind == entry.Recovery:
			codes = f.CodesLeft
		case f.Usable(now):
			alone++
			key = key || f.Kind == entry.SecurityKey || f.Kind == entry.Passkey
		}
	}
	var bar Bar
	add := func(when bool, what string) {
		if when {
			bar.Advice = append(bar.Advice, advice+what)
		}
	}
	add(suspended, "suspended")
	add(gone, "gone")
	if alone == 0 {
		add(true, "first")
		return bar
	}
	bar.Level = 1
	if alone > 1 {
		bar.Level++
	}
	if codes > 0 {
		bar.Level++
	}
	if key && bar.Level == 3 {
		bar.Level++
	}
	add(codes == 0, "codes")
	add(codes > 0 && codes <= fewCodes, "codes_few")
	add(alone == 1, "second")
	add(!key, "passkey")
	return bar
}
