package code

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// desk is a store, with a clock that tests move.
type desk struct {
	*Store
	t     *testing.T
	clock *clock.Manual
}

func each(t *testing.T, test func(t *testing.T, d *desk)) {
	now := clock.At(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))
	keys, err := crypt.Open(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		test(t, &desk{New(d, keys), t, now})
	}, db.Migrations{Name: "identity", FS: os.DirFS("..")})
}

func (d *desk) issue(a Ask) (plain string) {
	d.t.Helper()
	err := d.db.InTx(d.t.Context(), func(tx db.Tx) (err error) {
		plain, err = d.Issue(d.t.Context(), tx, a)
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return plain
}

func (d *desk) expect(want error, purpose, subject, typed string) {
	d.t.Helper()
	if err := d.Check(d.t.Context(), purpose, subject, typed); !errors.Is(err, want) {
		d.t.Errorf("%s of %s with %q: %v, want %v", purpose, subject, typed, err, want)
	}
}

// other is a code of the same length that is not plain.
func other(plain string) string {
	last := (plain[len(plain)-1]-'0'+1)%10 + '0'
	return plain[:len(plain)-1] + string(last)
}

var reset = Ask{Purpose: "identity.reset", Subject: "lina"}

func TestTheRightCodeWorksOnce(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		plain := d.issue(reset)
		if len(plain) != DefaultDigits || strings.Trim(plain, "0123456789") != "" {
			t.Errorf("the code is %q", plain)
		}
		d.expect(nil, reset.Purpose, reset.Subject, plain)
		d.expect(Used, reset.Purpose, reset.Subject, plain)
	})
}

func TestACodeIsGoodForItsPurposeAndSubjectAlone(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		plain := d.issue(reset)
		d.issue(Ask{Purpose: reset.Purpose, Subject: "hugo"})
		d.issue(Ask{Purpose: "identity.sms", Subject: reset.Subject})
		d.expect(Wrong, reset.Purpose, "hugo", plain)
		d.expect(Wrong, "identity.sms", reset.Subject, plain)
		d.expect(Missing, reset.Purpose, "nobody", plain)
		d.expect(nil, reset.Purpose, reset.Subject, plain)
	})
}

func TestARowMovedToAnotherSubjectOpensNothing(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		plain := d.issue(reset)
		err := d.db.InTx(t.Context(), func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), "UPDATE identity_codes SET subject = 'hugo'")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		d.expect(Wrong, reset.Purpose, "hugo", plain)
	})
}

func TestNoCodeStandsInTheDatabase(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		plain := d.issue(reset)
		var mac string
		if err := d.db.Read().QueryRowContext(t.Context(), "SELECT mac FROM identity_codes").Scan(&mac); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(mac, plain) || len(mac) < 40 {
			t.Errorf("stored: %q", mac)
		}
	})
}

func TestACodeIsWaitedForWhileItCanBeTyped(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		waits := func(when string, want bool) {
			t.Helper()
			if got, err := d.Waiting(t.Context(), "login", "a"); err != nil || got != want {
				t.Errorf("%s: %t, %v", when, got, err)
			}
		}
		waits("nothing was asked for", false)
		d.issue(Ask{Purpose: "login", Subject: "b"})
		waits("another has one", false)
		plain := d.issue(Ask{Purpose: "login", Subject: "a"})
		waits("issued", true)
		d.expect(nil, "login", "a", plain)
		waits("used", false)
		plain = d.issue(Ask{Purpose: "login", Subject: "a", Tries: 1})
		waits("issued again", true)
		d.expect(Exhausted, "login", "a", other(plain))
		waits("tried too often", false)
		d.issue(Ask{Purpose: "login", Subject: "a"})
		d.clock.Advance(DefaultLasts)
		waits("expired", false)
	})
}

func TestACodeExpires(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		plain := d.issue(reset)
		d.clock.Advance(DefaultLasts - time.Second)
		d.expect(Wrong, reset.Purpose, reset.Subject, other(plain))
		d.clock.Advance(time.Second)
		d.expect(Expired, reset.Purpose, reset.Subject, plain)
	})
}

func TestAnOlderCodeIsToldApartAndCostsNoTry(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		older := d.issue(reset)
		d.clock.Advance(time.Second)
		newest := d.issue(reset)
		for newest == older {
			newest = d.issue(reset)
		}
		for range DefaultTries + 1 {
			d.expect(Superseded, reset.Purpose, reset.Subject, older)
		}
		d.expect(nil, reset.Purpose, reset.Subject, newest)
	})
}

func TestWrongCodesCountDownAndThenTheRightOneIsRefusedToo(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		plain := d.issue(reset)
		for left := DefaultTries - 1; left > 0; left-- {
			err := d.Check(t.Context(), reset.Purpose, reset.Subject, other(plain))
			if !errors.Is(err, Wrong) || fault.Of(err).Args["count"] != left {
				t.Fatalf("with %d left: %v", left, err)
			}
		}
		d.expect(Exhausted, reset.Purpose, reset.Subject, other(plain))
		d.expect(Exhausted, reset.Purpose, reset.Subject, plain)
	})
}

// guess is how an attacker would go on: every code there is, in parallel.
func TestTenThousandGuessesOpenNothing(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		plain := d.issue(Ask{Purpose: "identity.reset", Subject: "lina", Digits: 4})
		var opened, wrong atomic.Int32
		var group sync.WaitGroup
		for part := range 4 {
			group.Go(func() {
				for n := part; n < 10_000; n += 4 {
					typed := fmt.Sprintf("%04d", n)
					if typed == plain {
						continue // luck is not what is tested
					}
					switch err := d.Check(context.Background(), "identity.reset", "lina", typed); {
					case err == nil:
						opened.Add(1)
					case errors.Is(err, Wrong):
						wrong.Add(1)
					case !errors.Is(err, Exhausted):
						t.Errorf("%s: %v", typed, err)
						return
					}
				}
			})
		}
		group.Wait()
		if opened.Load() != 0 || wrong.Load() >= DefaultTries {
			t.Errorf("%d opened, %d were compared", opened.Load(), wrong.Load())
		}
		d.expect(Exhausted, "identity.reset", "lina", plain)
	})
}

func TestOfManyWithTheRightCodeExactlyOneWins(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		for range 5 {
			d.clock.Advance(time.Hour)
			plain := d.issue(reset)
			var won atomic.Int32
			var group sync.WaitGroup
			for range 16 {
				group.Go(func() {
					err := d.Check(context.Background(), reset.Purpose, reset.Subject, plain)
					if err == nil {
						won.Add(1)
					} else if !errors.Is(err, Used) {
						t.Errorf("a loser was told %v", err)
					}
				})
			}
			group.Wait()
			if won.Load() != 1 {
				t.Fatalf("%d won", won.Load())
			}
		}
	})
}

func TestCodesAskedForAtOnceLeaveOneThatWorks(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		var mu sync.Mutex
		var plain []string
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				var one string
				err := d.db.InTx(context.Background(), func(tx db.Tx) (err error) {
					one, err = d.Issue(context.Background(), tx, reset)
					return err
				})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				plain = append(plain, one)
			})
		}
		group.Wait()
		worked := 0
		for _, one := range plain {
			if d.Check(t.Context(), reset.Purpose, reset.Subject, one) == nil {
				worked++
			}
		}
		if worked != 1 {
			t.Errorf("%d of %d work", worked, len(plain))
		}
	})
}

func TestCodesAreNotMadeWithoutEnd(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		for range PerHour {
			d.issue(reset)
		}
		issue := func() error {
			return d.db.InTx(t.Context(), func(tx db.Tx) error {
				_, err := d.Issue(t.Context(), tx, reset)
				return err
			})
		}
		if err := issue(); !errors.Is(err, TooMany) || fault.Of(err).Args["wait"] != time.Hour {
			t.Errorf("the next one: %v", err)
		}
		d.clock.Advance(time.Hour)
		if err := issue(); err != nil {
			t.Errorf("an hour later: %v", err)
		}
	})
}

func TestCodesThatAreOverAreForgotten(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		plain := d.issue(reset)
		d.clock.Advance(keep)
		if err := d.forget(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.expect(Expired, reset.Purpose, reset.Subject, plain)
		d.clock.Advance(DefaultLasts + time.Second)
		if err := d.forget(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.expect(Missing, reset.Purpose, reset.Subject, plain)
	})
}

func TestPeopleTypeCodesInTheirOwnWay(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		plain := d.issue(Ask{Purpose: "identity.relay", Subject: "lina", Digits: 8, Letters: true})
		if strings.Trim(plain, alphabet) != "" || len(plain) != 8 {
			t.Errorf("letters: %q", plain)
		}
		d.expect(nil, "identity.relay", "lina", " "+strings.ToLower(Shown(plain))+"\n")
	})
	for name, c := range map[string]struct{ typed, want string }{
		"blanks":               {" 482 913 ", "482913"},
		"a no-break space":     {"482\u00a0913", "482913"},
		"hyphens":              {"482-913", "482913"},
		"a dash":               {"482–913", "482913"},
		"full-width digits":    {"４８２９１３", "482913"},
		"Arabic digits":        {"٤٨٢٩١٣", "482913"},
		"Persian digits":       {"۴۸۲۹۱۳", "482913"},
		"an invisible mark":    {"\u200e482913\u200f", "482913"},
		"small letters":        {"bcdf-ghjk", "BCDFGHJK"},
		"what is no code":      {"4829l3", "4829L3"},
		"nothing but a hyphen": {"-", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Normal(c.typed); got != c.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestCodesAreShownInGroups(t *testing.T) {
	for plain, want := range map[string]string{"482913": "482 913", "4829": "482 9", "BCDFGHJK": "BCDF-GHJK", "": ""} {
		if got := Shown(plain); got != want {
			t.Errorf("%q is shown as %q", plain, got)
		}
	}
}
