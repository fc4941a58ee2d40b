package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

var start = time.Date(2026, time.November, 22, 9, 0, 0, 0, time.UTC)

var tables = db.Migrations{Name: "sso", FS: must(fs.Sub(os.DirFS(".."), "migrations"))}

func must(f fs.FS, err error) fs.FS {
	if err != nil {
		panic(err)
	}
	return f
}

func newRing(t testing.TB, d *db.DB, c clock.Clock, seal Sealer) *Ring {
	return New(Deps{DB: d, Clock: c, Seal: seal, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Host: "ent.valmont.example", Config: Defaults()})
}

func newSeal(t testing.TB) *crypt.Keyring {
	t.Helper()
	k, err := crypt.Open(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// each runs a test on either database with a ring of its own.
func each(t *testing.T, f func(t *testing.T, r *Ring, c *clock.Manual)) {
	c := clock.At(start)
	dbtest.EachAt(t, c, func(t *testing.T, d *db.DB) {
		c.Set(start)
		f(t, newRing(t, d, c, newSeal(t)), c)
	}, tables)
}

func TestEveryQueryOfKeysRunsOnBothDatabases(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", tables)
}

func current(t testing.TB, r *Ring, use Use, algorithm string) Key {
	t.Helper()
	k, err := r.Current(t.Context(), use, algorithm)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestTheFirstQuestionMakesAKeyThatSigns(t *testing.T) {
	each(t, func(t *testing.T, r *Ring, c *clock.Manual) {
		for _, one := range []struct {
			use       Use
			algorithm string
		}{{OIDC, RS256}, {OIDC, ES256}, {SAML, RS256}} {
			k := current(t, r, one.use, one.algorithm)
			digest := sha256.Sum256([]byte("a sentence"))
			signature, err := k.Signer.Sign(rand.Reader, digest[:], crypto.SHA256)
			if err != nil {
				t.Fatal(err)
			}
			switch public := k.Signer.Public().(type) {
			case *rsa.PublicKey:
				err = rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature)
			case *ecdsa.PublicKey:
				if !ecdsa.VerifyASN1(public, digest[:], signature) {
					err = errors.New("wrong")
				}
			}
			if err != nil {
				t.Errorf("%s of %s: %v", one.algorithm, one.use, err)
			}
			if (k.Certificate != nil) != (one.use == SAML) {
				t.Errorf("%s has the certificate %v", one.use, k.Certificate)
			}
		}
		if _, err := r.Current(t.Context(), SAML, ES256); !errors.Is(err, ErrUnused) {
			t.Errorf("SAML signs with ES256: %v", err)
		}
		certificate := current(t, r, SAML, RS256).Certificate
		if certificate.Subject.CommonName != "ent.valmont.example" || !certificate.NotBefore.Before(start) || certificate.NotAfter.Before(start.AddDate(9, 0, 0)) {
			t.Errorf("the certificate is for %s from %s to %s", certificate.Subject, certificate.NotBefore, certificate.NotAfter)
		}
	})
}

func TestTwoServersOnOneDatabaseAgree(t *testing.T) {
	c := clock.At(start)
	dbtest.EachAt(t, c, func(t *testing.T, d *db.DB) {
		seal := newSeal(t)
		rings := []*Ring{newRing(t, d, c, seal), newRing(t, d, c, seal), newRing(t, d, c, seal)}
		names := make([]string, len(rings))
		var all sync.WaitGroup
		for i, r := range rings {
			all.Go(func() {
				if k, err := r.Current(t.Context(), OIDC, ES256); err == nil {
					names[i] = k.ID
				}
			})
		}
		all.Wait()
		if names[0] == "" || names[0] != names[1] || names[1] != names[2] {
			t.Errorf("the first keys are %q", names)
		}
	}, tables)
}

func TestARollOverPublishesFirstAndSignsLater(t *testing.T) {
	each(t, func(t *testing.T, r *Ring, c *clock.Manual) {
		old := current(t, r, SAML, RS256)
		at, err := r.Roll(t.Context(), SAML)
		if err != nil {
			t.Fatal(err)
		}
		if want := start.Add(r.Config.SAMLAhead); !at.Equal(want) {
			t.Errorf("the next key signs at %s, want %s", at, want)
		}
		if _, err := r.Roll(t.Context(), SAML); !errors.Is(err, ErrUnderWay) {
			t.Errorf("a second roll-over began: %v", err)
		}
		states := func() (list []State) {
			published, err := r.Published(t.Context(), SAML)
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range published {
				list = append(list, k.State)
			}
			return list
		}
		if got := states(); !slices.Equal(got, []State{Current, Next}) {
			t.Errorf("before: %v", got)
		}
		c.Set(at.Add(-time.Second))
		if k := current(t, r, SAML, RS256); k.ID != old.ID {
			t.Error("the next key signs before its time")
		}
		c.Set(at)
		if k := current(t, r, SAML, RS256); k.ID == old.ID {
			t.Error("the next key does not sign when its time has come")
		}
		if got := states(); !slices.Equal(got, []State{Current, Retired}) {
			t.Errorf("after: %v", got)
		}
		c.Set(at.Add(policies[SAML].kept))
		if got := states(); !slices.Equal(got, []State{Current}) {
			t.Errorf("long after: %v", got)
		}
		if all, err := r.All(t.Context(), SAML); err != nil || len(all) != 2 {
			t.Errorf("the ended key is not kept for hints: %v %v", all, err)
		}
	})
}

func TestKeysOfOpenIDConnectChangeByThemselves(t *testing.T) {
	each(t, func(t *testing.T, r *Ring, c *clock.Manual) {
		old, kept := current(t, r, OIDC, ES256), current(t, r, SAML, RS256)
		// A year of hours, in steps that never skip what the next key is published ahead.
		changes := 0
		for now := start; now.Before(start.AddDate(1, 0, 0)); now = now.Add(12 * time.Hour) {
			c.Set(now)
			for _, use := range Uses {
				if err := r.tend(t.Context(), use); err != nil {
					t.Fatal(err)
				}
			}
			k := current(t, r, OIDC, ES256)
			if k.ID != old.ID {
				changes++
				if now.Sub(k.made) < r.Config.Ahead {
					t.Errorf("at %s a key signs that was published %s before", now, now.Sub(k.made))
				}
				old = k
			}
		}
		if changes != 4 {
			t.Errorf("the key changed %d times in a year of lifetimes of %s", changes, r.Config.Lifetime)
		}
		if current(t, r, SAML, RS256).ID != kept.ID {
			t.Error("the key of SAML changed by itself, and copies of the metadata are worthless")
		}
	})
}

func TestAStolenKeyIsWithdrawnAtOnce(t *testing.T) {
	each(t, func(t *testing.T, r *Ring, c *clock.Manual) {
		stolen := current(t, r, OIDC, RS256)
		c.Advance(time.Minute)
		if err := r.Replace(t.Context(), OIDC); err != nil {
			t.Fatal(err)
		}
		published, err := r.Published(t.Context(), OIDC)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(published, func(k Key) bool { return k.ID == stolen.ID }) || len(published) != 2 {
			t.Errorf("published are %v", published)
		}
		if current(t, r, OIDC, RS256).ID == stolen.ID {
			t.Error("the stolen key signs")
		}
	})
}

func TestARollOverCanBeHastened(t *testing.T) {
	each(t, func(t *testing.T, r *Ring, c *clock.Manual) {
		old := current(t, r, SAML, RS256)
		if err := r.Hasten(t.Context(), SAML); !errors.Is(err, ErrUnused) {
			t.Errorf("there was nothing to hasten: %v", err)
		}
		if _, err := r.Roll(t.Context(), SAML); err != nil {
			t.Fatal(err)
		}
		c.Advance(time.Hour)
		if err := r.Hasten(t.Context(), SAML); err != nil {
			t.Fatal(err)
		}
		published, err := r.Published(t.Context(), SAML)
		if err != nil || len(published) != 2 || published[0].ID == old.ID || published[1].NotAfter != c.Now().Add(policies[SAML].kept) {
			t.Errorf("published are %v %v", published, err)
		}
	})
}

func TestPrivateKeysAreNotReadableInTheDatabase(t *testing.T) {
	c := clock.At(start)
	d := dbtest.OpenAt(t, c, tables)
	current(t, newRing(t, d, c, newSeal(t)), OIDC, RS256)
	if _, err := newRing(t, d, c, newSeal(t)).Current(t.Context(), OIDC, RS256); err == nil {
		t.Error("another key file opened the keys")
	}
}
