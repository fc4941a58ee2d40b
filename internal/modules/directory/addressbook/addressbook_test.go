package addressbook

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-vcard"
	"github.com/emersion/go-webdav"
	"github.com/emersion/go-webdav/carddav"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/testenv/need"
	"github.com/amphi-campus/amphi/internal/ui"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// people are those of a small directory.
type people []find.Person

func (list *people) Those(_ context.Context, v campus.Viewer, condition func(find.Person) bool) (seen []find.Person, err error) {
	for _, p := range *list {
		if p.Shows(v, entry.FieldEntry) && condition(p) {
			seen = append(seen, p)
		}
	}
	return seen, nil
}

func (list *people) Some(ctx context.Context, v campus.Viewer, ids []campus.PersonID) ([]find.Person, error) {
	return list.Those(ctx, v, func(p find.Person) bool { return p.ID == ids[0] })
}

var wrong = fault.Declare(fault.Unauthenticated, "directory.addressbook_wrong_in_test")

// apps knows the application password of each person.
type apps struct{}

const secret = "one-for-this-phone"

func (apps) ByAppPassword(_ context.Context, login, password string, p contract.AppPurpose, _ netip.Addr) (campus.Viewer, error) {
	kind := map[string]campus.Kind{"lina": campus.Student, "paul": campus.Teacher, "gus": campus.Guest}[login]
	if kind == "" || password != secret || p != contract.AppContacts {
		return campus.Viewer{}, wrong
	}
	return campus.Viewer{Person: campus.PersonID("p-" + login), Affiliations: []campus.Affiliation{{Kind: kind}}}, nil
}

func somebody(id campus.PersonID, given, family string, unlisted bool, kind campus.Kind) find.Person {
	affiliations := []campus.Affiliation{{Kind: kind}}
	return find.Person{
		ID: id, GivenName: given, FamilyName: family, Mail: string(id) + "@valmont.example", Affiliations: affiliations,
		Sight: entry.Defaults().Sight(affiliations, unlisted, entry.Choices{}),
	}
}

// house is the address books of some people behind a server.
func house(t *testing.T) (list *people, address string) {
	t.Helper()
	list = &people{
		somebody("p-diallo", "Fatoumata", "Diallo", false, campus.Staff), somebody("p-kervadec", "Hélène", "Kervadec", false, campus.Teacher),
		somebody("p-lina", "Lina", "Martin", false, campus.Student), somebody("p-secret", "Sœur", "Cachée", true, campus.Staff),
	}
	_, address = room(t, list)
	return list, address
}

// room serves the address books of people.
func room(t *testing.T, list *people) (b *Books, address string) {
	t.Helper()
	now := clock.At(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))
	texts := i18ntest.Load(t, time.UTC, now, web.Locales, ui.Locales, os.DirFS("."))
	b = &Books{People: list, Apps: apps{}, Most: 1000, Card: func(_ context.Context, v campus.Viewer, p find.Person) (vcard.Card, error) {
		c := vcard.Card{}
		c.SetValue(vcard.FieldVersion, "4.0")
		c.SetValue(vcard.FieldUID, "urn:uuid:"+string(p.ID))
		c.SetValue(vcard.FieldFormattedName, p.DisplayName())
		c.SetName(&vcard.Name{FamilyName: p.FamilyName, GivenName: p.GivenName})
		c.Add(vcard.FieldTelephone, &vcard.Field{Value: "tel:+33199004242", Params: vcard.Params{"VALUE": {"uri"}}})
		return c, nil
	}}
	return b, pagetest.Serve(t, now, texts, func() campus.Viewer { return campus.Viewer{} }, b.Routes).URL
}

// book is what a program of somebody's finds, by following what the server says of
// itself.
func book(t *testing.T, address, login string) (c *carddav.Client, cards []carddav.AddressObject, at string) {
	t.Helper()
	ctx := t.Context()
	c, err := carddav.NewClient(webdav.HTTPClientWithBasicAuth(nil, login, secret), address+"/.well-known/carddav")
	if err != nil {
		t.Fatal(err)
	}
	principal, err := c.FindCurrentUserPrincipal(ctx)
	if err != nil {
		t.Fatal(err)
	}
	home, err := c.FindAddressBookHomeSet(ctx, principal)
	if err != nil {
		t.Fatal(err)
	}
	books, err := c.FindAddressBooks(ctx, home)
	if err != nil || len(books) != 1 {
		t.Fatalf("%d books: %v", len(books), err)
	}
	cards, err = c.QueryAddressBook(ctx, books[0].Path, &carddav.AddressBookQuery{DataRequest: carddav.AddressDataRequest{AllProp: true}})
	if err != nil {
		t.Fatal(err)
	}
	return c, cards, books[0].Path
}

func namesOf(cards []carddav.AddressObject) string {
	var names []string
	for _, c := range cards {
		names = append(names, c.Card.Name().FamilyName)
	}
	return strings.Join(names, " ")
}

func TestAProgramFindsTheColleaguesThatItsOwnerSees(t *testing.T) {
	_, address := house(t)
	for login, want := range map[string]string{"lina": "Diallo Kervadec", "paul": "Diallo Kervadec", "gus": "Diallo Kervadec"} {
		c, cards, at := book(t, address, login)
		if got := namesOf(cards); got != want {
			t.Errorf("%s finds %q, want %q", login, got, want)
		}
		named, err := c.QueryAddressBook(t.Context(), at, &carddav.AddressBookQuery{
			DataRequest: carddav.AddressDataRequest{AllProp: true},
			PropFilters: []carddav.PropFilter{{Name: vcard.FieldFormattedName, TextMatches: []carddav.TextMatch{{Text: "kerv"}}}},
		})
		if err != nil || namesOf(named) != "Kervadec" {
			t.Errorf("%s looks for a name and finds %q: %v", login, namesOf(named), err)
		}
		one, err := c.GetAddressObject(t.Context(), at+"p-diallo.vcf")
		if err != nil || one.Card.Value(vcard.FieldVersion) != "3.0" || one.Card.Value(vcard.FieldTelephone) != "+33199004242" || one.Card.Value(vcard.FieldUID) != "p-diallo" {
			t.Errorf("%s reads %v: %v", login, one, err)
		}
		for _, hidden := range []string{"p-secret", "p-lina", "p-nobody"} {
			if _, err := c.GetAddressObject(t.Context(), at+hidden+".vcf"); err == nil {
				t.Errorf("%s reads the card of %s", login, hidden)
			}
		}
		if _, err := c.PutAddressObject(t.Context(), at+"p-diallo.vcf", one.Card); err == nil {
			t.Errorf("%s changes a card", login)
		}
		if err := c.RemoveAll(t.Context(), at+"p-diallo.vcf"); err == nil {
			t.Errorf("%s removes a card", login)
		}
	}
	c, _, _ := book(t, address, "lina")
	if _, err := c.GetAddressObject(t.Context(), "/dav/p-paul/contacts/directory/p-diallo.vcf"); err == nil {
		t.Error("lina reads at the address of paul")
	}
}

func TestWithoutAnApplicationPasswordAProgramIsToldWhatToDo(t *testing.T) {
	_, address := house(t)
	for _, method := range []string{"OPTIONS", "GET", "PROPFIND", "REPORT", "PROPPATCH", "PUT", "DELETE", "MKCOL"} {
		for name, password := range map[string]string{"none": "", "a wrong one": "Amphi-demo-2026!"} {
			r, _ := http.NewRequest(method, address+"/dav/p-lina/contacts/directory/", nil)
			if password != "" {
				r.SetBasicAuth("lina", password)
			}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			var body bytes.Buffer
			body.ReadFrom(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), "Basic") || body.Len() < 20 {
				t.Errorf("%s with %s: %d, %q", method, name, resp.StatusCode, body.String())
			}
		}
	}
}

func TestAFilterForgivesCapitalsAndAccents(t *testing.T) {
	card := vcard.Card{}
	card.SetValue(vcard.FieldFormattedName, "Hélène Kervadec")
	card.Add(vcard.FieldEmail, &vcard.Field{Value: "helene@valmont.example"})
	card.Add(vcard.FieldEmail, &vcard.Field{Value: "hk@lab.example"})
	name := func(m carddav.TextMatch) carddav.PropFilter {
		return carddav.PropFilter{Name: "fn", TextMatches: []carddav.TextMatch{m}}
	}
	for what, c := range map[string]struct {
		q    carddav.AddressBookQuery
		want bool
	}{
		"no filter":          {carddav.AddressBookQuery{}, true},
		"a part":             {carddav.AddressBookQuery{PropFilters: []carddav.PropFilter{name(carddav.TextMatch{Text: "HELENE"})}}, true},
		"the beginning":      {carddav.AddressBookQuery{PropFilters: []carddav.PropFilter{name(carddav.TextMatch{Text: "kerv", MatchType: carddav.MatchStartsWith})}}, false},
		"the end":            {carddav.AddressBookQuery{PropFilters: []carddav.PropFilter{name(carddav.TextMatch{Text: "Vadec", MatchType: carddav.MatchEndsWith})}}, true},
		"the whole":          {carddav.AddressBookQuery{PropFilters: []carddav.PropFilter{name(carddav.TextMatch{Text: "helene kervadec", MatchType: carddav.MatchEquals})}}, true},
		"not a part":         {carddav.AddressBookQuery{PropFilters: []carddav.PropFilter{name(carddav.TextMatch{Text: "helene", NegateCondition: true})}}, false},
		"the second address": {carddav.AddressBookQuery{PropFilters: []carddav.PropFilter{{Name: "EMAIL", TextMatches: []carddav.TextMatch{{Text: "lab"}}}}}, true},
		"no telephone":       {carddav.AddressBookQuery{PropFilters: []carddav.PropFilter{{Name: "TEL", IsNotDefined: true}}}, true},
		"a telephone":        {carddav.AddressBookQuery{PropFilters: []carddav.PropFilter{{Name: "TEL"}}}, false},
		"both, one is not":   {carddav.AddressBookQuery{FilterTest: carddav.FilterAllOf, PropFilters: []carddav.PropFilter{{Name: "TEL"}, {Name: "FN"}}}, false},
		"either, one is":     {carddav.AddressBookQuery{FilterTest: carddav.FilterAnyOf, PropFilters: []carddav.PropFilter{{Name: "TEL"}, {Name: "FN"}}}, true},
	} {
		if got := matches(&c.q, card); got != c.want {
			t.Errorf("%s: %t", what, got)
		}
	}
}

func TestACardHasAnotherTagWhenItChanged(t *testing.T) {
	list, address := house(t)
	_, before, _ := book(t, address, "lina")
	(*list)[0].GivenName = "Fatou"
	_, after, _ := book(t, address, "lina")
	if before[0].ETag == after[0].ETag || before[1].ETag != after[1].ETag {
		t.Errorf("the tags were %s and %s, and are %s and %s", before[0].ETag, before[1].ETag, after[0].ETag, after[1].ETag)
	}
}

func TestAFilterOfManyComparisonsIsRefused(t *testing.T) {
	_, address := house(t)
	c, _, at := book(t, address, "lina")
	query := func(n int) error {
		_, err := c.QueryAddressBook(t.Context(), at, &carddav.AddressBookQuery{DataRequest: carddav.AddressDataRequest{AllProp: true}, PropFilters: []carddav.PropFilter{
			{Name: vcard.FieldFormattedName, TextMatches: slices.Repeat([]carddav.TextMatch{{Text: "kerv"}}, n)},
		}})
		return err
	}
	if err := query(mostComparisons - 1); err != nil {
		t.Errorf("as many as may be: %v", err)
	}
	if err := query(mostComparisons); err == nil {
		t.Error("one more is answered")
	}
}

func TestMoreProgramsThanMemoryIsKeptForWaitAndAreToldSo(t *testing.T) {
	before := patience
	patience = 10 * time.Millisecond
	defer func() { patience = before }()
	b, address := room(t, &people{somebody("p-diallo", "Fatoumata", "Diallo", false, campus.Staff)})
	ask := func() int {
		r, _ := http.NewRequest("OPTIONS", address+"/dav/", nil)
		r.SetBasicAuth("lina", secret)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for range answersAtOnce {
		b.answers <- struct{}{}
	}
	if status := ask(); status != http.StatusServiceUnavailable {
		t.Errorf("with all places taken: %d", status)
	}
	<-b.answers
	for range 3 {
		if status := ask(); status >= 400 {
			t.Errorf("with one free: %d", status)
		}
	}
}

func TestVdirsyncerKeepsTheBookInStep(t *testing.T) {
	program := need.Program(t, "vdirsyncer")
	list, address := house(t)
	folder := t.TempDir()
	config := filepath.Join(folder, "config")
	text := fmt.Sprintf(`[general]
status_path = "%[1]s/status"
[pair contacts]
a = "here"
b = "there"
collections = ["directory"]
conflict_resolution = "b wins"
[storage here]
type = "filesystem"
path = "%[1]s/cards"
fileext = ".vcf"
[storage there]
type = "carddav"
url = "%[2]s/"
username = "lina"
password = "%[3]s"
read_only = true
`, folder, address, secret)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, append([]string{"-c", config}, args...)...)
		cmd.Stdin = strings.NewReader(strings.Repeat("y\n", 10))
		cmd.Env = append(os.Environ(), "HOME="+folder, "LANG=C.UTF-8", "LC_ALL=C.UTF-8")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("vdirsyncer %v: %v\n%s", args, err, out)
		}
	}
	cards := func() (all string) {
		files, _ := filepath.Glob(filepath.Join(folder, "cards", "directory", "*.vcf"))
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all += string(text)
		}
		return all
	}
	run("discover")
	run("sync")
	if all := cards(); !strings.Contains(all, "Kervadec;Hélène") || !strings.Contains(all, "Diallo") || strings.Contains(all, "Martin") || strings.Contains(all, "Cachée") {
		t.Fatalf("after the first time there are: %s", all)
	}
	(*list)[0].FamilyName = "Diallo-Ba"
	*list = append(people{(*list)[0]}, somebody("p-new", "Nour", "Arrivée", false, campus.Staff)) // Kervadec left
	run("sync")
	if all := cards(); !strings.Contains(all, "Diallo-Ba") || !strings.Contains(all, "Arrivée") || strings.Contains(all, "Kervadec") {
		t.Errorf("after the changes there are: %s", all)
	}
}
