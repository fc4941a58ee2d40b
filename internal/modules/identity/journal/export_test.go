package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"testing"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

// The hash is made again here from the words of docs/journal.md alone: whoever
// holds an export can do the same, for ever.
func TestAnExportCanBeVerifiedByWhatTheDocumentationSays(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		j := onJournal(t, d)
		j.writeSome(t, 3)
		j.write(t, Event{Person: "élise", Actor: "paul", Kind: "identity.locked", Facts: map[string]string{"b": "<2>", "a": "œ"}})
		var out bytes.Buffer
		if err := j.Export(t.Context(), &out, 0); err != nil {
			t.Fatal(err)
		}
		previous, seen := "", 0
		for line := range bytes.Lines(out.Bytes()) {
			var e struct {
				Seq    int64
				Micros int64 `json:"at_us"`

				Person, Actor, Kind, Address, Agent, Facts, Previous, Hash string
			}
			if err := json.Unmarshal(line, &e); err != nil {
				t.Fatal(err)
			}
			var b []byte
			eight := func(n int64) {
				for shift := 56; shift >= 0; shift -= 8 {
					b = append(b, byte(n>>shift))
				}
			}
			text := func(s string) { eight(int64(len(s))); b = append(b, s...) }
			text("amphi.identity.journal.1")
			eight(e.Seq)
			eight(e.Micros)
			for _, s := range []string{e.Person, e.Actor, e.Kind, e.Address, e.Agent, e.Facts, e.Previous} {
				text(s)
			}
			sum := sha256.Sum256(b)
			if hex.EncodeToString(sum[:]) != e.Hash || e.Previous != previous {
				t.Errorf("event %d: the documentation makes another hash than %s", e.Seq, e.Hash)
			}
			previous = e.Hash
			seen++
		}
		if seen != 4 {
			t.Errorf("%d events were exported", seen)
		}
		out.Reset()
		if err := j.Export(t.Context(), &out, 3); err != nil || bytes.Count(out.Bytes(), []byte("\n")) != 2 {
			t.Errorf("from event 3: %s, %v", out.String(), err)
		}
	}, schema)
}
