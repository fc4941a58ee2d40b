package ldapview

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/jimlambrt/gldap"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/testenv/need"
)

// people are those of a small directory.
type people []find.Person

func (list people) Those(_ context.Context, v campus.Viewer, condition func(find.Person) bool) (seen []find.Person, err error) {
	for _, p := range list {
		if p.Shows(v, entry.FieldEntry) && condition(p) {
			seen = append(seen, p)
		}
	}
	return seen, nil
}

// apps knows one application password.
type apps struct{}

func (apps) ByAppPassword(_ context.Context, login, password string, p contract.AppPurpose, _ netip.Addr) (campus.Viewer, error) {
	if login != "lina" || password != "lina-s-own-application" || p != contract.AppContacts {
		return campus.Viewer{}, errors.New("wrong")
	}
	return campus.Viewer{Person: "p-lina", Affiliations: []campus.Affiliation{{Kind: campus.Student}}}, nil
}

func somebody(id campus.PersonID, given, family string, unlisted bool, a campus.Affiliation, phones ...entry.Phone) find.Person {
	affiliations := []campus.Affiliation{a}
	return find.Person{
		ID: id, GivenName: given, FamilyName: family, Mail: string(id) + "@valmont.example", Affiliations: affiliations,
		Profile: entry.Profile{Phones: phones, Office: "C215", Functions: []entry.Function{{Unit: "BRS", French: "Gestionnaire des bourses"}}},
		Sight:   entry.Defaults().Sight(affiliations, unlisted, entry.Choices{}),
	}
}

var valmont = people{
	somebody("p-diallo", "Fatoumata", "Diallo", false, campus.Affiliation{Kind: campus.Staff, Unit: "BRS"}, entry.Phone{Kind: entry.Desk, Number: "+33 1 99 00 42 42"}, entry.Phone{Kind: entry.Mobile, Number: "+33 6 39 98 00 01"}),
	somebody("p-kervadec", "Hélène", "Kervadec", false, campus.Affiliation{Kind: campus.Teacher, Unit: "INFO"}),
	somebody("p-lina", "Lina", "Martin", false, campus.Affiliation{Kind: campus.Student, Programme: "L-INFO"}),
	somebody("p-secret", "Sœur", "Cachée", true, campus.Affiliation{Kind: campus.Staff}),
}

const copiers = "the copiers’ long password"

// serve starts a view of some people, and returns its address.
func serve(t *testing.T, list people) string { return serveSo(t, list, func(*Config) {}) }

// serveSo is serve with a configuration of the test's.
func serveSo(t *testing.T, list people, change func(*Config)) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	c := Defaults()
	c.Listen, c.Most = address, 3
	c.Readers = []ReaderConfig{{Name: "copiers", Password: copiers, Sees: "staff"}, {Name: "door", Password: copiers, Sees: "members"}}
	change(&c)
	if problems := c.Check(); len(problems) != 0 {
		t.Fatal(problems)
	}
	base, _ := url.Parse("https://ent.valmont.example")
	v := New(Deps{People: list, Apps: apps{}, Clock: clock.System(), Log: slog.New(slog.DiscardHandler), Base: base, Language: campus.French}, c)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- v.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for range 200 {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return address
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the view does not listen")
	return ""
}

const base = "dc=ent,dc=valmont,dc=example"

// dial connects, and binds unless name is empty.
func dial(t *testing.T, address, name, password string) *ldap.Conn {
	t.Helper()
	c, err := ldap.DialURL("ldap://" + address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if name != "" {
		if err := c.Bind(name, password); err != nil {
			t.Fatalf("bind as %s: %v", name, err)
		}
	}
	return c
}

func search(c *ldap.Conn, filter string, attributes ...string) (*ldap.SearchResult, error) {
	return c.Search(ldap.NewSearchRequest("ou=people,"+base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, nil))
}

func names(r *ldap.SearchResult) (list []string) {
	for _, e := range r.Entries {
		list = append(list, e.GetAttributeValue("sn"))
	}
	return list
}

func TestAProgramFindsWhomItsAudienceSees(t *testing.T) {
	address := serve(t, valmont)
	reader, door, lina := "cn=copiers,ou=readers,"+base, "cn=door,ou=readers,"+base, "uid=lina,ou=people,"+base
	for _, c := range []struct {
		who, password, filter string
		want                  []string
	}{
		{reader, copiers, "(objectClass=inetOrgPerson)", []string{"Diallo", "Kervadec", "Martin"}},
		{reader, copiers, "(sn=diallo)", []string{"Diallo"}},
		{reader, copiers, "(|(cn=*helene*)(sn=hel*))", []string{"Kervadec"}},
		{reader, copiers, "(telephoneNumber=+33199004242)", []string{"Diallo"}},
		{reader, copiers, "(mobile=*0001)", []string{"Diallo"}},
		{reader, copiers, "(&(employeeType=student)(!(sn=diallo)))", []string{"Martin"}},
		{reader, copiers, "(!(userPassword=*))", nil}, // of what nobody has here nothing is known
		{reader, copiers, "(sn>=k)", []string{"Kervadec", "Martin"}},
		{reader, copiers, "(sn=cachée)", nil},
		{door, copiers, "(objectClass=*)", []string{"Diallo", "Kervadec"}},
		{door, copiers, "(mobile=*0001)", nil}, // a mobile is for colleagues: it cannot be guessed either
		{lina, "lina-s-own-application", "(objectClass=*)", []string{"Diallo", "Kervadec", "Martin"}},
		{"lina", "lina-s-own-application", "(sn=diallo)", []string{"Diallo"}},
	} {
		r, err := search(dial(t, address, c.who, c.password), c.filter)
		if err != nil {
			t.Errorf("%s as %s: %v", c.filter, c.who, err)
			continue
		}
		if got := names(r); !slices.Equal(got, c.want) {
			t.Errorf("%s as %s finds %q, want %q", c.filter, c.who, got, c.want)
		}
	}
	r, err := search(dial(t, address, reader, copiers), "(uid=p-diallo)", "mail", "ou", "fax")
	if err != nil || len(r.Entries) != 1 || r.Entries[0].GetAttributeValue("mail") != "p-diallo@valmont.example" || r.Entries[0].GetAttributeValue("ou") != "BRS" || len(r.Entries[0].Attributes) != 2 {
		t.Errorf("the attributes asked for: %v, %v", r, err)
	}
}

func TestWithoutAPasswordNobodyIsFound(t *testing.T) {
	address := serve(t, valmont)
	code := func(err error) uint16 {
		var e *ldap.Error
		if errors.As(err, &e) {
			return e.ResultCode
		}
		return 0
	}
	if _, err := search(dial(t, address, "", ""), "(objectClass=*)"); code(err) != ldap.LDAPResultInsufficientAccessRights {
		t.Errorf("without a bind: %v", err)
	}
	for name, c := range map[string]struct {
		who, password string
		want          uint16
	}{
		"a wrong password":              {"cn=copiers,ou=readers," + base, copiers + "x", ldap.LDAPResultInvalidCredentials},
		"a program that does not exist": {"cn=nobody,ou=readers," + base, copiers, ldap.LDAPResultInvalidCredentials},
		"a person’s own password":       {"uid=lina,ou=people," + base, "Amphi-demo-2026!", ldap.LDAPResultInvalidCredentials},
		"a name below another base":     {"cn=copiers,dc=evil", copiers, ldap.LDAPResultInvalidCredentials},
		"a program in a person’s place": {"uid=copiers,ou=people," + base, copiers, ldap.LDAPResultInvalidCredentials},
	} {
		conn := dial(t, address, "cn=copiers,ou=readers,"+base, copiers)
		if err := conn.Bind(c.who, c.password); code(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := search(conn, "(objectClass=*)"); code(err) != ldap.LDAPResultInsufficientAccessRights {
			t.Errorf("after %s the connection still reads: %v", name, err)
		}
	}
	conn := dial(t, address, "", "")
	if err := conn.UnauthenticatedBind("cn=copiers,ou=readers," + base); code(err) != ldap.LDAPResultUnwillingToPerform {
		t.Errorf("a name without a password: %v", err)
	}
	guesser := dial(t, address, "", "")
	for i := range 100 {
		if err := guesser.Bind("cn=door,ou=readers,"+base, "guess"); code(err) != ldap.LDAPResultInvalidCredentials {
			t.Fatalf("guess %d: %v", i, err)
		}
	}
	dial(t, address, "cn=door,ou=readers,"+base, copiers) // who guesses keeps nobody out
	modify := ldap.NewModifyRequest("uid=p-diallo,ou=people,"+base, nil)
	modify.Replace("sn", []string{"Evil"})
	if err := dial(t, address, "cn=copiers,ou=readers,"+base, copiers).Modify(modify); code(err) != ldap.LDAPResultUnwillingToPerform {
		t.Errorf("a change: %v", err)
	}
}

func TestALongAnswerComesInPagesOrIsCutWithAWord(t *testing.T) {
	var crowd people
	for i := range 2500 {
		crowd = append(crowd, somebody(campus.PersonID(fmt.Sprintf("p-%04d", i)), "Ana", fmt.Sprintf("Martin %04d", i), false, campus.Affiliation{Kind: campus.Staff}))
	}
	conn := dial(t, serve(t, crowd), "cn=copiers,ou=readers,"+base, copiers)
	all, err := conn.SearchWithPaging(ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, "(cn=ana*)", []string{"sn"}, nil), 700)
	if err != nil || len(all.Entries) != 2500 || all.Entries[2499].GetAttributeValue("sn") != "Martin 2499" {
		t.Errorf("%d entries in pages: %v", len(all.Entries), err)
	}
	cut, err := search(conn, "(cn=ana*)", "sn")
	if !ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) || len(cut.Entries) != 3 {
		t.Errorf("without pages: %v", err)
	}
}

func TestBadFiltersAndPlacesAreNamed(t *testing.T) {
	address := serve(t, valmont)
	conn := dial(t, address, "cn=copiers,ou=readers,"+base, copiers)
	deep := strings.Repeat("(!", 40) + "(sn=x)" + strings.Repeat(")", 40)
	if _, err := search(conn, deep); !ldap.IsErrorWithCode(err, ldap.LDAPResultProtocolError) {
		t.Errorf("a filter 40 deep: %v", err)
	}
	_, err := conn.Search(ldap.NewSearchRequest("dc=elsewhere", ldap.ScopeWholeSubtree, 0, 0, 0, false, "(sn=*)", nil, nil))
	if !ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
		t.Errorf("another base: %v", err)
	}
	one, err := conn.Search(ldap.NewSearchRequest("uid=p-diallo,ou=people,"+base, ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", nil, nil))
	if err != nil || len(one.Entries) != 1 || one.Entries[0].DN != "uid=p-diallo,ou=people,"+base {
		t.Errorf("one entry by its name: %v, %v", one, err)
	}
	root, err := dial(t, address, "", "").Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", nil, nil))
	if err != nil || len(root.Entries) != 1 || root.Entries[0].GetAttributeValue("namingContexts") != base {
		t.Errorf("the root: %v, %v", root, err)
	}
}

func TestASearchThatAsksForTooMuchIsRefusedBeforeItIsMade(t *testing.T) {
	conn := dial(t, serve(t, valmont), "cn=copiers,ou=readers,"+base, copiers)
	either := func(n int) string { return "(|" + strings.Repeat("(sn=x)", n) + ")" }
	for name, c := range map[string]struct {
		filter     string
		attributes []string
		want       uint16
	}{
		"as many comparisons as may be": {either(widest), nil, ldap.LDAPResultSuccess},
		"one more":                      {either(widest + 1), nil, ldap.LDAPResultProtocolError},
		"a text of many parts":          {"(cn=" + strings.Repeat("*a", widest+1) + ")", nil, ldap.LDAPResultProtocolError},
		"a long text":                   {"(sn=" + strings.Repeat("x", longestFilter) + ")", nil, ldap.LDAPResultAdminLimitExceeded},
		"many attributes":               {"(sn=x)", slices.Repeat([]string{"sn"}, mostWanted+1), ldap.LDAPResultAdminLimitExceeded},
	} {
		if _, err := search(conn, c.filter, c.attributes...); c.want == 0 && err != nil || c.want != 0 && !ldap.IsErrorWithCode(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// slow is a directory that answers when it is told to.
type slow struct {
	people
	asked, open chan struct{}
}

func (s slow) Those(ctx context.Context, v campus.Viewer, condition func(find.Person) bool) ([]find.Person, error) {
	s.asked <- struct{}{}
	<-s.open
	return s.people.Those(ctx, v, condition)
}

func TestWhoSendsSearchesWithoutEndIsStoppedAndHoldsNobodyUp(t *testing.T) {
	s := slow{valmont, make(chan struct{}, 2*mostAsks), make(chan struct{})}
	v := New(Deps{People: s, Log: slog.New(slog.DiscardHandler)}, Defaults())
	for i := range mostAsks {
		if !v.begin("p-greedy") {
			t.Fatalf("search %d is refused", i)
		}
	}
	if v.begin("p-greedy") {
		t.Error("one reader has more searches under way than may be")
	}
	if !v.begin("p-other") {
		t.Error("another reader waits")
	}
	ended := make(chan struct{})
	for range 2 * scansAtOnce {
		go func() {
			v.found(campus.Viewer{Person: "p-x"}, &gldap.SearchMessage{}, nil, func(find.Person) bool { return true }) // its answer is nobody's here
			ended <- struct{}{}
		}()
	}
	for range scansAtOnce {
		<-s.asked
	}
	select {
	case <-s.asked:
		t.Error("more searches go through the directory at once than memory is kept for")
	case <-time.After(50 * time.Millisecond):
	}
	close(s.open)
	for range 2 * scansAtOnce {
		<-ended
	}
	for range mostAsks {
		v.end("p-greedy")
	}
	if !v.begin("p-greedy") {
		t.Error("after the answers the reader is still refused")
	}
}

func TestTheHouseOutlivesAViewThatCannotTakeProgramsIn(t *testing.T) {
	before := listenAgain
	listenAgain = time.Millisecond
	defer func() { listenAgain = before }()
	full := &net.OpError{Op: "accept", Err: errors.New("too many open files")}
	taken := &net.OpError{Op: "listen", Err: errors.New("address in use")}
	log := slog.New(slog.DiscardHandler)
	times := 0
	err := listening(t.Context(), log, func() error {
		if times++; times < 3 {
			return fmt.Errorf("serve: %w", []error{full, taken}[times-1])
		}
		return nil
	})
	if err != nil || times != 3 {
		t.Errorf("opened %d times: %v", times, err)
	}
	if err := listening(t.Context(), log, func() error { return fmt.Errorf("serve: %w", taken) }); err == nil {
		t.Error("an address that is taken is no mistake to be told")
	}
}

func TestWhatOneProgramBreaksDoesNotEndTheHouse(t *testing.T) {
	v := New(Deps{Log: slog.New(slog.DiscardHandler)}, Defaults())
	v.safely(func(*gldap.ResponseWriter, *gldap.Request) { panic("a message that nobody thought of") })(nil, nil)
}

func TestAMessageOfUnknownSizeIsNotRead(t *testing.T) {
	conn, err := net.Dial("tcp", serve(t, valmont))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xf0, 0x02, 0x01}); err != nil { // two gigabytes are announced
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the server waits for two gigabytes: %d, %v", n, err)
	}
}

func TestThatAColleagueStudiesIsToldToColleaguesOnly(t *testing.T) {
	both := somebody("p-both", "Inès", "Double", false, campus.Affiliation{Kind: campus.Staff})
	both.Affiliations = append(both.Affiliations, campus.Affiliation{Kind: campus.Student, Programme: "L-INFO"})
	address := serve(t, people{both})
	for who, want := range map[string]int{"cn=copiers,ou=readers," + base: 1, "cn=door,ou=readers," + base: 0} {
		r, err := search(dial(t, address, who, copiers), "(employeeType=student)")
		if err != nil || len(r.Entries) != want {
			t.Errorf("%s finds %d: %v", who, len(r.Entries), err)
		}
	}
}

func TestOpenLDAPsOwnProgramReadsTheDirectory(t *testing.T) {
	program := need.Program(t, "ldapsearch")
	address := serve(t, valmont)
	out, err := exec.Command(program, "-x", "-LLL", "-H", "ldap://"+address, "-D", "cn=copiers,ou=readers,"+base, "-w", copiers, "-b", base, "-E", "pr=1/noprompt", "(ou=BRS)", "mail", "telephoneNumber").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "mail: p-diallo@valmont.example") || !strings.Contains(string(out), "telephoneNumber: +33 1 99 00 42 42") || strings.Contains(string(out), "p-secret") {
		t.Errorf("ldapsearch says %s: %v", out, err)
	}
}

func TestAConfigurationThatWouldLeakIsRefused(t *testing.T) {
	c := Defaults()
	c.Listen = "0.0.0.0:389"
	c.Readers = []ReaderConfig{{Name: "copiers", Password: "short", Sees: "everybody"}, {Name: "Copiers", Password: copiers, Sees: "nobody"}}
	var keys []string
	for _, p := range c.Check() {
		keys = append(keys, p.Key)
	}
	want := []string{"tls_certificate", "readers[0].password", "readers[0].sees", "readers[1].name", "readers[1].sees"}
	if !slices.Equal(keys, want) {
		t.Errorf("refused: %q, want %q", keys, want)
	}
}

func FuzzFilters(f *testing.F) {
	for _, text := range []string{"(sn=a*b*c)", "(&(|(cn=x)(!(mail=*)))(sn>=m))", "(cn:dn:2.4.6:=x)", "(=)"} {
		f.Add(text)
	}
	v := &View{}
	f.Fuzz(func(t *testing.T, text string) {
		if filter, err := parse(text); err == nil {
			filter(v.valuesOf(campus.Viewer{Person: "p-x", Affiliations: []campus.Affiliation{{Kind: campus.Staff}}}, valmont[0]))
		}
	})
}
