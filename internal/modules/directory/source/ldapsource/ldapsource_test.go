package ldapsource_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/modules/directory/source/ldapsource"
	"github.com/amphi-campus/amphi/internal/modules/directory/source/supanntest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

const people = 1000

// configuration is that of an administrator who reads everything.
func configuration(s *supanntest.Server, change ...func(*source.Config)) source.Config {
	c := source.Config{ID: "univ", Kind: source.KindLDAP, Preset: source.PresetSupAnn, LDAP: source.LDAPConfig{
		URLs: []string{s.URL}, StartTLS: true, CAFile: s.CAFile, BindDN: supanntest.Reader, BindPassword: supanntest.Password,
		Base: supanntest.People, GroupBase: supanntest.Groups, UnitBase: supanntest.Units, UnitFilter: "(objectClass=supannEntite)", Page: 100, Timeout: 10 * time.Second,
	}}
	for _, f := range change {
		f(&c)
	}
	return c
}

// open makes the reader of a configuration, and its mapping.
func open(t *testing.T, c source.Config) (*ldapsource.Source, *mapping.Mapping) {
	t.Helper()
	m, err := mapping.New(c, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ldapsource.New(c, m.Attributes)
	if err != nil {
		t.Fatal(err)
	}
	return s, m
}

// reading is what one reading handed over.
type reading struct {
	source.Result
	records []source.Record
	err     error
}

func read(t *testing.T, s *ldapsource.Source, since string) (r reading) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r.Result, r.err = s.Read(ctx, since, func(record source.Record) error {
		r.records = append(r.records, record)
		return nil
	})
	return r
}

// must is a reading that went well.
func must(t *testing.T, s *ldapsource.Source, since string) reading {
	t.Helper()
	r := read(t, s, since)
	if r.err != nil {
		t.Fatal(r.err)
	}
	return r
}

// of finds the record of a person by login; unchanged and gone ones have none.
func (r reading) of(login string) (found source.Record, ok bool) {
	for _, one := range r.records {
		if one.Kind == source.Person && slices.Contains(one.Names, login) {
			return one, true
		}
	}
	return source.Record{}, false
}

// said are the records with something to say, and those that are gone.
func (r reading) said() (changed, gone []source.Record) {
	for _, one := range r.records {
		switch {
		case one.Gone:
			gone = append(gone, one)
		case !one.Unchanged:
			changed = append(changed, one)
		}
	}
	return changed, gone
}

// merged is what an engine knows after a reading: the records of the last state, less
// what is gone.
func (r reading) merged(before map[string]source.Record) map[string]source.Record {
	after := maps.Clone(before)
	if after == nil {
		after = map[string]source.Record{}
	}
	there := map[string]bool{}
	for _, one := range r.records {
		there[one.Key] = !one.Gone
		switch {
		case one.Gone:
			if after[one.Key].Kind == one.Kind {
				delete(after, one.Key)
			}
		case !one.Unchanged:
			after[one.Key] = one
		}
	}
	for key, one := range after {
		if r.All(one.Kind) && !there[key] {
			delete(after, key)
		}
	}
	return after
}

func TestEverybodyIsReadWithUnitsAndGroups(t *testing.T) {
	server := supanntest.Start(t, people)
	for _, way := range []string{"", source.ChangesTimestamp, source.ChangesOff} {
		s, m := open(t, configuration(server, func(c *source.Config) { c.LDAP.Changes = way }))
		r := must(t, s, "")
		if r.Count[source.Person] != people || r.Count[source.Unit] != 8 || r.Count[source.Group] != 5 || !r.All(source.Person) || !r.All(source.Group) || !r.All(source.Unit) {
			t.Errorf("%q: %v, complete %v", way, r.Count, r.Complete)
		}
		if (r.Cursor == "") != (way == source.ChangesOff) {
			t.Errorf("%q: the cursor is %q", way, r.Cursor)
		}
		for _, one := range r.records {
			entry, refused := m.Map(one)
			if len(refused) > 0 || entry.Refused || len(one.Key) != 36 {
				t.Fatalf("%q: %s is refused: %v", way, one.Where, refused)
			}
		}
		one, _ := r.of("p00010")
		entry, _ := m.Map(one)
		subject := entry.Values.Subject()
		if subject.FamilyName != "Abadie" || subject.GivenName != "Khadija" || len(subject.Affiliations) != 1 || subject.Affiliations[0].Kind != "teacher" || one.Values["userpassword"] != nil {
			t.Errorf("%q: p00010 is %+v", way, subject)
		}
	}
}

func TestTheOrderIsUnitsThenPeopleThenGroupsAndMembersAreNamesOfPeople(t *testing.T) {
	server := supanntest.Start(t, 20)
	s, m := open(t, configuration(server))
	r := must(t, s, "")
	rank := map[source.Kind]int{source.Unit: 0, source.Person: 1, source.Group: 2}
	if !slices.IsSortedFunc(r.records, func(a, b source.Record) int { return rank[a.Kind] - rank[b.Kind] }) {
		t.Error("they come in another order")
	}
	names := map[string]bool{}
	for _, one := range r.records {
		entry, _ := m.Map(one)
		for _, n := range entry.Names {
			names[n] = true
		}
		for _, member := range entry.Values[mapping.FieldMembers] {
			if !names[member] {
				t.Errorf("the member %s of %s is nobody", member, one.Where)
			}
		}
	}
}

// change does to the directory what happens in a week.
func change(t *testing.T, server *supanntest.Server) {
	t.Helper()
	admin := server.As(t, supanntest.Admin)
	try := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	married := ldap.NewModifyRequest(supanntest.DN("e00001"), nil)
	married.Replace("sn", []string{"Quéméneur"})
	try(admin.Modify(married))
	try(admin.ModifyDN(ldap.NewModifyDNRequest(supanntest.DN("e00002"), "uid=e99992", true, "")))
	try(admin.Del(ldap.NewDelRequest(supanntest.DN("e00003"), nil)))
	arrived := ldap.NewAddRequest(supanntest.DN("e99999"), nil)
	for name, values := range map[string][]string{
		"objectClass": {"inetOrgPerson", "supannPerson"}, "uid": {"e99999"}, "cn": {"Neuf Ève"}, "sn": {"Neuf"}, "givenName": {"Ève"}, "eduPersonAffiliation": {"student"},
	} {
		arrived.Attribute(name, values)
	}
	try(admin.Add(arrived))
	left := ldap.NewModifyRequest("cn=L1INFO,"+supanntest.Groups, nil)
	left.Delete("member", []string{supanntest.DN("e00001")})
	try(admin.Modify(left))
	try(admin.Del(ldap.NewDelRequest("cn=M2LETT,"+supanntest.Groups, nil)))
	moved := ldap.NewModifyRequest("ou=BU,"+supanntest.Units, nil)
	moved.Replace("supannCodeEntiteParent", []string{"DSI"})
	try(admin.Modify(moved))
}

func TestWhatChangedIsReadAloneAndLeadsToTheSameAsReadingEverything(t *testing.T) {
	for name, c := range map[string]struct{ way, line string }{
		"by sync, which names who is left": {source.ChangesSync, ""},
		"by sync, which names who is gone": {source.ChangesSync, "syncprov-sessionlog 1000"},
		"by timestamps":                    {source.ChangesTimestamp, ""},
	} {
		way := c.way
		t.Run(name, func(t *testing.T) {
			server := supanntest.Start(t, people, c.line)
			s, _ := open(t, configuration(server, func(c *source.Config) { c.LDAP.Changes = way }))
			first := must(t, s, "")
			known := first.merged(nil)
			time.Sleep(1100 * time.Millisecond) // timestamps are of seconds

			quiet := must(t, s, first.Cursor)
			changed, gone := quiet.said()
			if way == source.ChangesSync && len(changed) > 0 || len(gone) > 0 {
				t.Errorf("when nothing happened, %d changed and %d are gone", len(changed), len(gone))
			}
			if known = quiet.merged(known); len(known) != people+13 {
				t.Errorf("when nothing happened, %d are known", len(known))
			}

			change(t, server)
			next := must(t, s, quiet.Cursor)
			changed, gone = next.said()
			if c.line != "" && (len(gone) < 2 || next.All(source.Person)) {
				t.Errorf("%d are gone, complete %v", len(gone), next.Complete)
			}
			if way == source.ChangesSync && len(changed) != 5 {
				t.Errorf("%d records changed, not 5", len(changed))
			}
			if renamed, ok := next.of("e99992"); !ok || known[renamed.Key].Where != supanntest.DN("e00002") {
				t.Errorf("the renamed entry is %+v, known as %q", renamed, known[renamed.Key].Where)
			}
			known = next.merged(known)
			whole, _ := open(t, configuration(server, func(c *source.Config) { c.LDAP.Changes = source.ChangesOff }))
			now := must(t, whole, "").merged(nil)
			if len(now) != people+12 || len(known) != len(now) {
				t.Errorf("%d are known, %d are there", len(known), len(now))
			}
			for key, one := range now {
				if !slices.Equal(one.Values["sn"], known[key].Values["sn"]) || one.Where != known[key].Where || !slices.Equal(one.Values["member"], known[key].Values["member"]) ||
					!slices.Equal(one.Values["supanncodeentiteparent"], known[key].Values["supanncodeentiteparent"]) {
					t.Errorf("%s is known as %s with other values", one.Where, known[key].Where)
				}
			}
		})
	}
}

func TestACursorOfAnotherQuestionReadsEverythingAndSaysSo(t *testing.T) {
	server := supanntest.Start(t, 30)
	s, _ := open(t, configuration(server))
	first := must(t, s, "")
	for name, other := range map[string]func(*source.Config){
		"another filter": func(c *source.Config) { c.LDAP.Filter = "(uid=e*)" },
		"another field":  func(c *source.Config) { c.Map = map[string]string{"office": "l"} },
		"another way":    func(c *source.Config) { c.LDAP.Changes = source.ChangesTimestamp },
	} {
		s, _ := open(t, configuration(server, other))
		r := must(t, s, first.Cursor)
		if changed, _ := r.said(); len(changed) < 24 || !r.All(source.Person) || len(r.Remarks) != 1 || !errors.Is(r.Remarks[0], source.ReadWhole) {
			t.Errorf("%s: %d records, complete %v, remarks %v", name, len(changed), r.Complete, r.Remarks)
		}
	}
	r := must(t, s, "rubbish")
	if len(r.Remarks) != 1 || r.Count[source.Person] != 30 {
		t.Errorf("a cursor of nobody: %v, %v", r.Count, r.Remarks)
	}
}

func TestAnEntryThatLeavesTheFilterIsGone(t *testing.T) {
	for name, c := range map[string]struct{ way, line string }{
		"by sync": {source.ChangesSync, ""}, "by sync with a log": {source.ChangesSync, "syncprov-sessionlog 1000"}, "by timestamps": {source.ChangesTimestamp, ""},
	} {
		way := c.way
		t.Run(name, func(t *testing.T) {
			server := supanntest.Start(t, 30, c.line)
			s, _ := open(t, configuration(server, func(c *source.Config) { c.LDAP.Changes, c.LDAP.Filter = way, "(eduPersonAffiliation=student)" }))
			first := must(t, s, "")
			known := first.merged(nil)
			m := ldap.NewModifyRequest(supanntest.DN("e00001"), nil)
			m.Replace("eduPersonAffiliation", []string{"alum"})
			if err := server.As(t, supanntest.Admin).Modify(m); err != nil {
				t.Fatal(err)
			}
			after := must(t, s, first.Cursor).merged(known)
			if len(after) != len(known)-1 {
				t.Errorf("of %d, %d are left", len(known), len(after))
			}
		})
	}
}

// proxy stands before a server and cuts connections after some bytes of answers.
type proxy struct {
	url   string
	limit atomic.Int64 // bytes of each connection; 0 for no end
	mute  atomic.Bool  // at the limit, say nothing more instead of hanging up
}

func cutting(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &proxy{url: fmt.Sprintf("ldap://localhost:%d", l.Addr().(*net.TCPAddr).Port)}
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return // the test is over
			}
			far, err := net.Dial("tcp", strings.Replace(strings.TrimPrefix(target, "ldap://"), "localhost", "127.0.0.1", 1))
			if err != nil {
				near.Close()
				continue
			}
			go func() { io.Copy(far, near); far.Close() }() // ends with its connection
			go func() {
				answers := io.Reader(far)
				if n := p.limit.Load(); n > 0 {
					answers = io.LimitReader(far, n)
				}
				io.Copy(near, answers) // ends with its connection, or is cut
				if p.mute.Load() {
					<-t.Context().Done()
				}
				near.Close()
				far.Close()
			}()
		}
	}()
	return p
}

func TestAConnectionThatIsCutSaysHowFarItCameAndNobodyIsGone(t *testing.T) {
	server := supanntest.Start(t, people)
	p := cutting(t, server.URL)
	for _, way := range []string{source.ChangesSync, source.ChangesOff, source.ChangesTimestamp} {
		s, _ := open(t, configuration(server, func(c *source.Config) {
			c.LDAP.URLs, c.LDAP.Changes, c.LDAP.Timeout = []string{p.url}, way, 3*time.Second
		}))
		p.limit.Store(0)
		whole := must(t, s, "")
		p.limit.Store(200_000)
		r := read(t, s, "")
		if !errors.Is(r.err, source.BrokenOff) || len(r.Complete) > 0 || r.Cursor != "" || r.Count[source.Person] == 0 || r.Count[source.Person] >= people {
			t.Errorf("%s: %v after %v, complete %v, cursor %q", way, r.err, r.Count, r.Complete, r.Cursor)
		}
		if f := fault.Of(r.err); f.Args["count"] != len(r.records) {
			t.Errorf("%s: it says %v, and handed over %d", way, f.Args["count"], len(r.records))
		}
		if after := r.merged(whole.merged(nil)); len(after) != people+13 {
			t.Errorf("%s: %d are left", way, len(after))
		}
		p.limit.Store(0)
		if again := must(t, s, ""); again.Count[source.Person] != people {
			t.Errorf("%s: the next reading gives %v", way, again.Count)
		}
	}
}

func TestAServerThatFallsSilentIsGivenUp(t *testing.T) {
	server := supanntest.Start(t, people)
	p := cutting(t, server.URL)
	p.limit.Store(150_000)
	p.mute.Store(true)
	for _, way := range []string{source.ChangesSync, source.ChangesOff} {
		s, _ := open(t, configuration(server, func(c *source.Config) {
			c.LDAP.URLs, c.LDAP.Changes, c.LDAP.Timeout = []string{p.url}, way, time.Second
		}))
		began := time.Now()
		r := read(t, s, "")
		if !errors.Is(r.err, source.BrokenOff) || r.Count[source.Person] == 0 || len(r.Complete) > 0 || time.Since(began) > 10*time.Second {
			t.Errorf("%s: %v after %v in %v", way, r.err, r.Count, time.Since(began))
		}
	}
}

func TestALimitOfTheServerIsNamedAndNobodyIsGone(t *testing.T) {
	server := supanntest.Start(t, people)
	for _, way := range []string{source.ChangesSync, source.ChangesOff} {
		s, _ := open(t, configuration(server, func(c *source.Config) { c.LDAP.BindDN, c.LDAP.Changes = supanntest.Limited, way }))
		r := read(t, s, "")
		if !errors.Is(r.err, source.SizeLimited) || len(r.Complete) > 0 || r.Count[source.Person] != supanntest.Limit {
			t.Errorf("%s: %v after %v, complete %v", way, r.err, r.Count, r.Complete)
		}
	}
}

func TestWhyASourceCannotBeReadIsSaid(t *testing.T) {
	server := supanntest.Start(t, 5)
	for _, c := range []struct {
		name   string
		change func(*source.Config)
		want   *fault.Reason
	}{
		{"nobody there", func(c *source.Config) { c.LDAP.URLs = []string{"ldap://localhost:1"} }, source.Unreachable},
		{"an unknown authority", func(c *source.Config) { c.LDAP.CAFile = "" }, source.Untrusted},
		{"a certificate of another name", func(c *source.Config) {
			c.LDAP.URLs = []string{strings.Replace(server.TLSURL, "localhost", "127.0.0.1", 1)}
		}, source.Untrusted},
		{"a wrong password", func(c *source.Config) { c.LDAP.BindPassword = "faux" }, source.AccountRefused},
		{"a base that is not there", func(c *source.Config) { c.LDAP.Base = "ou=nowhere," + supanntest.Base }, source.BaseMissing},
		{"a filter that cannot be read", func(c *source.Config) { c.LDAP.Filter = "(uid=" }, source.QuestionRefused},
	} {
		s, _ := open(t, configuration(server, c.change))
		r := read(t, s, "")
		if !errors.Is(r.err, c.want) || len(r.Complete) > 0 {
			t.Errorf("%s: %v, complete %v", c.name, r.err, r.Complete)
		}
	}
	second, _ := open(t, configuration(server, func(c *source.Config) { c.LDAP.URLs = []string{"ldap://localhost:1", server.TLSURL} }))
	if r := must(t, second, ""); r.Count[source.Person] != 5 {
		t.Errorf("the second server gives %v", r.Count)
	}
	if _, err := ldapsource.New(source.Config{LDAP: source.LDAPConfig{CAFile: "/dev/null"}}, nil); err == nil {
		t.Error("a file without a certificate is an authority")
	}
}

func TestWhoTakesTheRecordsCanStop(t *testing.T) {
	server := supanntest.Start(t, 50)
	enough := errors.New("enough")
	for _, way := range []string{source.ChangesSync, source.ChangesOff} {
		s, _ := open(t, configuration(server, func(c *source.Config) { c.LDAP.Changes = way }))
		n := 0
		r, err := s.Read(t.Context(), "", func(source.Record) error {
			if n++; n == 12 {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) || errors.Is(err, source.BrokenOff) || len(r.Complete) > 0 {
			t.Errorf("%s: %v, complete %v", way, err, r.Complete)
		}
		ctx, cancel := context.WithCancel(t.Context())
		_, err = s.Read(ctx, "", func(source.Record) error { cancel(); return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: cancelled: %v", way, err)
		}
	}
}

func TestWhatThePasswordPolicyKeepsChangesNothing(t *testing.T) {
	server := supanntest.Start(t, 5)
	s, m := open(t, configuration(server, func(c *source.Config) { c.LDAP.Attributes = []string{"pwdAccountLockedTime", "pwdChangedTime"} }))
	before, _ := m.Map(recordOf(t, s, "e00001"))
	lock := ldap.NewModifyRequest(supanntest.DN("e00001"), []ldap.Control{ldap.NewControlString("1.3.6.1.4.1.4203.666.5.12", true, "")})
	lock.Replace("pwdAccountLockedTime", []string{"000001010000Z"})
	if err := server.As(t, supanntest.Admin).Modify(lock); err != nil {
		t.Fatal(err)
	}
	locked := recordOf(t, s, "e00001")
	if locked.First("pwdAccountLockedTime") == "" {
		t.Fatal("the lock is not seen")
	}
	after, refused := m.Map(locked)
	if !maps.EqualFunc(before.Values, after.Values, slices.Equal) || len(refused) > 0 {
		t.Errorf("it was %v, and is %v", before.Values, after.Values)
	}
}

func recordOf(t *testing.T, s *ldapsource.Source, login string) source.Record {
	t.Helper()
	one, ok := must(t, s, "").of(login)
	if !ok {
		t.Fatalf("%s is not there", login)
	}
	return one
}

func TestWrongEncodingsOfARealServerAreReadOrRefused(t *testing.T) {
	server := supanntest.Start(t, 5)
	s, m := open(t, configuration(server, func(c *source.Config) { c.Map = map[string]string{"job_title": "exampleBytes"} }))
	for bytes, want := range map[string]string{"Charg\xe9e d\x92\xe9tudes": "Chargée d’études", "DoyÃ©": "Doyé", "\xff\xfe\x81": ""} {
		m2 := ldap.NewModifyRequest(supanntest.DN("p00005"), nil)
		m2.Replace("exampleBytes", []string{bytes})
		if err := server.As(t, supanntest.Admin).Modify(m2); err != nil {
			t.Fatal(err)
		}
		entry, refused := m.Map(recordOf(t, s, "p00005"))
		if got := entry.Values.One("job_title"); got != want || (want == "") != (len(refused) == 1) {
			t.Errorf("%q is read as %q, refused %v", bytes, got, refused)
		}
	}
}

func TestAKeyThatTwoEntriesHaveIsTakenOnceAndTheOtherRefused(t *testing.T) {
	server := supanntest.Start(t, 5)
	m := ldap.NewModifyRequest(supanntest.DN("e00002"), nil)
	m.Replace("supannEtuId", []string{"20260001"})
	if err := server.As(t, supanntest.Admin).Modify(m); err != nil {
		t.Fatal(err)
	}
	s, _ := open(t, configuration(server, func(c *source.Config) {
		c.LDAP.Key, c.LDAP.Filter, c.LDAP.GroupBase, c.LDAP.UnitBase = "supannEtuId", "(uid=*)", "", ""
	}))
	r := must(t, s, "")
	var twice, missing int
	for _, refusal := range r.Refused {
		switch {
		case errors.Is(refusal, source.KeyTwice) && refusal.Where == supanntest.DN("e00002"):
			twice++
		case errors.Is(refusal, source.KeyMissing) && refusal.Where == supanntest.DN("p00005"):
			missing++
		}
	}
	if r.Count[source.Person] != 3 || twice != 1 || missing != 1 || len(r.Refused) != 2 {
		t.Errorf("%v were taken, refused %v", r.Count, r.Refused)
	}
}
