package breached_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/breached"
	"github.com/amphi-campus/amphi/internal/modules/identity/rules"
)

var today = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

func build(t *testing.T, list string, r breached.Recipe) (*breached.Filter, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "filter")
	r.Date = today
	if _, err := breached.Build(t.Context(), strings.NewReader(list), r, path); err != nil {
		t.Fatal(err)
	}
	f, err := breached.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return f, path
}

func TestAFilterHoldsEveryLineOfItsListAndSaysWhatItIs(t *testing.T) {
	var list strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&list, "password-%d\r\n", i)
	}
	list.WriteString("e\u0301te\u0301\n\npassword-1\nlast line without an end")
	f, _ := build(t, list.String(), breached.Recipe{Format: breached.Plain, Source: "a test"})
	for i := range 20_000 {
		if !f.Has(fmt.Sprint("password-", i)) {
			t.Fatalf("password-%d is missing", i)
		}
	}
	if !f.Has("été") || !f.Has("last line without an end") || f.Has("") {
		t.Error("an odd line is missing, or the empty one is in")
	}
	if h := f.Header(); h.Entries != 20_002 || h.Source != "a test" || h.Date != "2026-11-22" {
		t.Errorf("the header is %+v", h)
	}
}

func TestAListOfHashesGivesTheSameFilterAsItsPasswords(t *testing.T) {
	list := ""
	for i, plain := range []string{"soleil", "doudou", "azerty", "été"} {
		list += fmt.Sprintf("%X:%d\r\n", sha1.Sum([]byte(plain)), i+1)
	}
	f, _ := build(t, list, breached.Recipe{Format: breached.HIBP})
	for _, plain := range []string{"soleil", "doudou", "azerty", "été"} {
		if !f.Has(plain) {
			t.Errorf("%s is missing", plain)
		}
	}
	often, _ := build(t, list, breached.Recipe{Format: breached.HIBP, Seen: 3})
	if often.Has("soleil") || !often.Has("azerty") || often.Header().Entries != 2 {
		t.Error("what was seen rarely is not left out")
	}
}

// A long list is parted, so that building it takes bounded memory.
func TestALongListIsParted(t *testing.T) {
	f, _ := build(t, "one\ntwo\nthree\n", breached.Recipe{Format: breached.Plain, Size: 1 << 30})
	if f.Header().ShardBits != 5 || !f.Has("one") || !f.Has("two") || !f.Has("three") || f.Has("four") {
		t.Errorf("the header is %+v", f.Header())
	}
}

func TestAListThatIsNoneIsRefusedWithItsLine(t *testing.T) {
	for name, c := range map[string]struct {
		list string
		r    breached.Recipe
		want error
		says string
	}{
		"passwords taken for hashes": {"soleil\n", breached.Recipe{Format: breached.HIBP}, breached.ListMalformed, "line"},
		"a hash with a letter":       {strings.Repeat("G", 40) + ":3\n", breached.Recipe{Format: breached.HIBP}, breached.ListMalformed, "line"},
		"no count":                   {strings.Repeat("A", 40) + "\n", breached.Recipe{Format: breached.HIBP, Seen: 2}, breached.ListMalformed, "line"},
		"a binary file":              {strings.Repeat("x", 1<<20), breached.Recipe{Format: breached.Plain}, breached.ListMalformed, "line"},
		"an empty file":              {"", breached.Recipe{Format: breached.Plain}, breached.ListEmpty, ""},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, "filter")
			if err := os.WriteFile(path, []byte("the old one"), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := breached.Build(t.Context(), strings.NewReader(c.list), c.r, path)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the error is %v", err)
			}
			if old, _ := os.ReadFile(path); string(old) != "the old one" {
				t.Error("the old filter is gone")
			}
			if left, _ := os.ReadDir(folder); len(left) != 1 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestABuildThatIsInterruptedLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	folder := t.TempDir()
	endless := io.MultiReader(strings.NewReader(strings.Repeat("password\n", 1<<19)), readerFunc(func([]byte) (int, error) { cancel(); return 0, io.EOF }))
	if _, err := breached.Build(ctx, endless, breached.Recipe{Format: breached.Plain}, filepath.Join(folder, "filter")); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	if left, _ := os.ReadDir(folder); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestAFilterThatIsBrokenAnywhereIsRefused(t *testing.T) {
	_, path := build(t, "one\ntwo\nthree\n", breached.Recipe{Format: breached.Plain})
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	try := func(content []byte) error {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := breached.Open(path)
		return err
	}
	body := bytes.IndexByte(whole[15:], '\n') + 16
	for i := body; i < len(whole); i++ {
		altered := bytes.Clone(whole)
		altered[i] ^= 1
		if err := try(altered); !errors.Is(err, breached.Damaged) {
			t.Fatalf("altered at %d: %v", i, err)
		}
	}
	for _, n := range []int{0, 5, 15, 40, body, len(whole) - 1} {
		if err := try(whole[:n]); !errors.Is(err, breached.Damaged) {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
	if err := try(bytes.Replace(whole, []byte(`"version":1`), []byte(`"version":9`), 1)); !errors.Is(err, breached.Damaged) {
		t.Errorf("another version: %v", err)
	}
	if _, err := breached.Open(path + ".none"); !errors.Is(err, breached.Unreadable) {
		t.Errorf("a missing file: %v", err)
	}
}

// The shipped list is small, so each of its entries is one that people still try.
func TestTheShippedFilterKnowsWhatAttackersTryFirst(t *testing.T) {
	f, err := breached.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	for _, plain := range []string{"123456", "password", "azerty", "soleil", "doudou", "qwertyuiop", "iloveyou", "letmein", "motdepasse"} {
		if !f.Has(plain) {
			t.Errorf("%s is missing", plain)
		}
	}
	if h := f.Header(); h.Entries < 50_000 || h.Source == "" {
		t.Errorf("the header is %+v", h)
	}
	info, err := os.Stat("shipped.filter")
	if err != nil || info.Size() > 1<<20 {
		t.Errorf("the file has %v bytes (%v)", info.Size(), err)
	}
}

// 2 million passphrases that are in no list are looked up. One in 65,536 is
// expected to seem known: 31. Twice that would be passed by chance once in a
// million runs.
func TestFewPasswordsAreTakenForKnownOnes(t *testing.T) {
	f, err := breached.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	const tries = 2_000_000
	seeming := 0
	for i := range tries {
		if f.Has(fmt.Sprintf("gravier-lampe-%d-tunnel", i)) {
			seeming++
		}
	}
	t.Logf("%d of %d seemed known: %.2g", seeming, tries, float64(seeming)/tries)
	if float64(seeming) > 2*tries*breached.FalsePositives {
		t.Errorf("%d of %d seem known", seeming, tries)
	}
}

func BenchmarkALookUp(b *testing.B) {
	f, err := breached.Shipped()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		f.Has("gravier-lampe-cerise-tunnel")
	}
}

// What a page asks: every form under which a password may be known.
func BenchmarkALookUpOfEveryForm(b *testing.B) {
	f, err := breached.Shipped()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, form := range rules.Known("Gravier-Lampe-2026!") {
			f.Has(form)
		}
	}
}
