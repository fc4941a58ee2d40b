package crypt

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func newRing(t *testing.T) (*Keyring, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys", "amphi.key")
	ring, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return ring, path
}

func TestASealedValueOpensForItsPurposeOnly(t *testing.T) {
	ring, _ := newRing(t)
	sealed, err := ring.Seal("identity.factor", []byte("JBSWY3DP"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("JBSWY3DP")) {
		t.Fatal("the secret is readable in the sealed value")
	}
	if got, err := ring.Open("identity.factor", sealed); err != nil || string(got) != "JBSWY3DP" {
		t.Fatalf("opened %q, %v", got, err)
	}
	if _, err := ring.Open("mailer.job", sealed); !errors.Is(err, Unreadable) {
		t.Fatalf("another purpose opened it: %v", err)
	}
	again, err := ring.Seal("identity.factor", []byte("JBSWY3DP"))
	if err != nil || bytes.Equal(again, sealed) {
		t.Fatal("sealing twice gives the same bytes")
	}
}

func TestAnyAlteredByteKeepsASealedValueClosed(t *testing.T) {
	ring, _ := newRing(t)
	sealed, err := ring.Seal("p", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		altered := bytes.Clone(sealed)
		altered[i] ^= 1
		if _, err := ring.Open("p", altered); err == nil {
			t.Fatalf("byte %d altered and still opened", i)
		}
	}
	for n := range sealed {
		if _, err := ring.Open("p", sealed[:n]); err == nil {
			t.Fatalf("cut to %d bytes and still opened", n)
		}
	}
}

func TestAfterARotationTheNewestKeySealsAndAllOpen(t *testing.T) {
	before, path := newRing(t)
	sealed, err := before.SealText("p", "old")
	if err != nil {
		t.Fatal(err)
	}
	signed := before.Sign("p", "link")
	id, err := Rotate(path)
	if err != nil {
		t.Fatal(err)
	}
	after, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if ids := after.KeyIDs(); len(ids) != 2 || ids[1] != id || after.Created() {
		t.Fatalf("keys after rotation: %v, created %v", ids, after.Created())
	}
	if got, err := after.OpenText("p", sealed); err != nil || got != "old" {
		t.Fatalf("the old value: %q, %v", got, err)
	}
	if got, err := after.Verify("p", signed); err != nil || got != "link" {
		t.Fatalf("the old signature: %q, %v", got, err)
	}
	if !bytes.Equal(before.Name("p", []byte("person")), after.Name("p", []byte("person"))) {
		t.Fatal("a rotation changed the names that services know people by")
	}
	fresh, err := after.Seal("p", []byte("new"))
	if err != nil || after.Stale(fresh) || !before.Stale(fresh) {
		t.Fatal("the newest key does not seal")
	}
	if _, err := before.Open("p", fresh); !errors.Is(err, KeyGone) {
		t.Fatalf("a ring without the key says %v", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode after rotation: %v, %v", info.Mode(), err)
	}
}

func TestASignedValueThatWasTouchedIsForged(t *testing.T) {
	ring, _ := newRing(t)
	signed := ring.Sign("link", "person=7")
	value, mac, _ := strings.Cut(signed, ".")
	otherValue, _, _ := strings.Cut(ring.Sign("link", "person=8"), ".")
	for name, text := range map[string]string{
		"empty": "", "no dot": value, "no signature": value + ".", "another value": otherValue + "." + mac,
		"cut": signed[:len(signed)-1], "lengthened": signed + "A", "not base64": "é." + mac,
	} {
		if _, err := ring.Verify("link", text); !errors.Is(err, Forged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ring.Verify("cookie", signed); !errors.Is(err, Forged) {
		t.Errorf("another purpose: %v", err)
	}
}

func TestAKeyFileThatCannotBeTrustedStopsTheStartWithASentence(t *testing.T) {
	line := func() string {
		one, err := newKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		return one.line()
	}
	good := line()
	cases := map[string]struct {
		text string
		mode os.FileMode
		says string
	}{
		"readable by the group":    {good + "\n", 0o640, "chmod 600"},
		"readable by everybody":    {good + "\n", 0o604, "chmod 600"},
		"empty":                    {"", 0o600, "holds no key"},
		"only remarks":             {fileHead, 0o600, "holds no key"},
		"a cut line":               {good[:len(good)-20] + "\n", 0o600, "damaged at line 1"},
		"an altered secret":        {strings.Replace(good, good[45:46], swap(good[45]), 1) + "\n", 0o600, "damaged at line 1"},
		"a damaged second line":    {good + "\nrubbish\n", 0o600, "damaged at line 2"},
		"the same key twice":       {good + "\n" + good + "\n", 0o600, "twice"},
		"something else, very big": {strings.Repeat("x", maxKeyFile+1), 0o600, "check the path"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, c.mode); err != nil {
				t.Fatal(err)
			}
			_, err := Open(path)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("it says %v", err)
			}
			left, readErr := os.ReadFile(path)
			if readErr != nil || string(left) != c.text {
				t.Fatal("the damaged file was changed")
			}
		})
	}
	t.Run("a folder", func(t *testing.T) {
		if _, err := Open(t.TempDir()); err == nil {
			t.Fatal("a folder was accepted")
		}
	})
}

func swap(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}

func TestManyServersStartingTogetherShareOneKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	var rings [8]*Keyring
	var wait sync.WaitGroup
	for i := range rings {
		wait.Go(func() {
			ring, err := Open(path)
			if err != nil {
				t.Error(err)
				return
			}
			rings[i] = ring
		})
	}
	wait.Wait()
	if t.Failed() {
		return
	}
	sealed, err := rings[0].Seal("p", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	created := 0
	for _, ring := range rings {
		if _, err := ring.Open("p", sealed); err != nil {
			t.Fatal(err)
		}
		if ring.Created() {
			created++
		}
	}
	if created != 1 {
		t.Fatalf("%d of them say they made the file", created)
	}
	names, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(names) != 1 {
		t.Fatalf("left behind: %v, %v", names, err)
	}
}

func TestAPurposeIsRequired(t *testing.T) {
	ring, _ := newRing(t)
	for name, use := range map[string]func(){
		"seal": func() { _, _ = ring.Seal("", []byte("x")) },
		"sign": func() { ring.Sign("", "x") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s without a purpose went through", name)
				}
			}()
			use()
		}()
	}
}

func FuzzOpenAndVerifyNeverPanic(f *testing.F) {
	path := filepath.Join(f.TempDir(), "key")
	ring, err := Open(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{1, 2, 3})
	f.Add(bytes.Repeat([]byte{1}, 60))
	f.Add([]byte("YQ.YQ"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := ring.Open("p", data); err == nil {
			t.Fatal("opened what was never sealed")
		}
		if _, err := ring.Verify("p", string(data)); err == nil {
			t.Fatal("verified what was never signed")
		}
	})
}
