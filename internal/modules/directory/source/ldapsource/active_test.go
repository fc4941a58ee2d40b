package ldapsource_test

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jimlambrt/gldap"

	"github.com/amphi-campus/amphi/internal/modules/directory/source"
)

const domain = "dc=campus,dc=example"

// controller answers as a domain controller of Active Directory does: it numbers its
// changes, names itself, and sends large groups in parts.
type controller struct {
	address string

	mu      sync.Mutex
	name    string
	usn     int
	entries map[string]map[string][]string // by DN
}

// part is how many values of an attribute it sends at once.
const part = 15

// put writes an entry.
func (c *controller) put(dn string, attributes map[string][]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.usn++
	attributes["uSNChanged"] = []string{strconv.Itoa(c.usn)}
	c.entries[dn] = attributes
}

func (c *controller) remove(dn string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.usn++
	delete(c.entries, dn)
}

var changedSince = regexp.MustCompile(`\(uSNChanged>=(\d+)\)`)

func (c *controller) search(w *gldap.ResponseWriter, r *gldap.Request) error {
	m, err := r.GetSearchMessage()
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.BaseDN == "" {
		err = w.Write(r.NewSearchResponseEntry("", gldap.WithAttributes(map[string][]string{
			"supportedCapabilities": {"1.2.840.113556.1.4.800"}, "dsServiceName": {c.name}, "highestCommittedUSN": {strconv.Itoa(c.usn)},
		})))
		if err != nil {
			return err
		}
		return w.Write(r.NewSearchDoneResponse(gldap.WithResponseCode(gldap.ResultSuccess)))
	}
	since := 0
	if found := changedSince.FindStringSubmatch(m.Filter); found != nil {
		if since, err = strconv.Atoi(found[1]); err != nil {
			return err
		}
	}
	for dn, attributes := range c.entries {
		usn, err := strconv.Atoi(attributes["uSNChanged"][0])
		if err != nil {
			return err
		}
		wanted := strings.HasSuffix(dn, m.BaseDN) && usn >= since && strings.Contains(m.Filter, attributes["objectClass"][0])
		if m.Scope == gldap.BaseObject {
			wanted = dn == m.BaseDN
		}
		if !wanted {
			continue
		}
		if err := w.Write(r.NewSearchResponseEntry(dn, gldap.WithAttributes(inParts(attributes, m.Attributes)))); err != nil {
			return err
		}
	}
	return w.Write(r.NewSearchDoneResponse(gldap.WithResponseCode(gldap.ResultSuccess)))
}

// inParts is what the controller sends of an entry: of many members, some at a time.
func inParts(attributes map[string][]string, wanted []string) map[string][]string {
	sent := map[string][]string{}
	for name, values := range attributes {
		from := 0
		asked := false
		for _, one := range wanted {
			plain, options, _ := strings.Cut(one, ";range=")
			asked = asked || strings.EqualFold(plain, name)
			if strings.EqualFold(plain, name) && options != "" {
				before, _, _ := strings.Cut(options, "-")
				from, _ = strconv.Atoi(before) // what is no number begins at the beginning
			}
		}
		switch {
		case !asked:
		case len(values) <= part:
			sent[name] = values
		case from+part >= len(values):
			sent[fmt.Sprintf("%s;range=%d-*", name, from)] = values[from:]
		default:
			sent[fmt.Sprintf("%s;range=%d-%d", name, from, from+part-1)] = values[from : from+part]
		}
	}
	return sent
}

func startController(t *testing.T) *controller {
	t.Helper()
	c := &controller{name: "CN=NTDS Settings,CN=DC1", usn: 1000, entries: map[string]map[string][]string{}}
	server, err := gldap.NewServer()
	if err != nil {
		t.Fatal(err)
	}
	routes, err := gldap.NewMux()
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	must(routes.Bind(func(w *gldap.ResponseWriter, r *gldap.Request) {
		must(w.Write(r.NewBindResponse(gldap.WithResponseCode(gldap.ResultSuccess))))
	}))
	must(routes.Search(func(w *gldap.ResponseWriter, r *gldap.Request) { must(c.search(w, r)) }))
	must(server.Router(routes))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	c.address = l.Addr().String()
	must(l.Close())
	done := make(chan error, 1)
	go func() { done <- server.Run(c.address) }()
	for range 100 {
		if server.Ready() {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Cleanup(func() {
		must(server.Stop())
		must(<-done)
	})
	return c
}

func TestActiveDirectoryIsReadByItsNumbersAndLargeGroupsWhole(t *testing.T) {
	dc := startController(t)
	var members []string
	for i := range 40 {
		dn := fmt.Sprintf("CN=Person %d,OU=People,%s", i, domain)
		members = append(members, dn)
		dc.put(dn, map[string][]string{
			"objectClass": {"user"}, "objectGUID": {fmt.Sprintf("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f%c", rune(i))}, "sAMAccountName": {fmt.Sprintf("PERS%d", i)},
			"sn": {"Dupont"}, "userAccountControl": {"512"}, "employeeType": {"Student"},
		})
	}
	dc.put("CN=Tous,OU=Groups,"+domain, map[string][]string{"objectClass": {"group"}, "objectGUID": {"\xf1\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"}, "sAMAccountName": {"tous"}, "cn": {"Tous"}, "member": members})
	s, m := open(t, source.Config{ID: "ad", Kind: source.KindLDAP, Preset: source.PresetAD, LDAP: source.LDAPConfig{
		URLs: []string{"ldap://" + dc.address}, BindDN: "cn=amphi", BindPassword: "x", Base: "OU=People," + domain, GroupBase: "OU=Groups," + domain, Timeout: 5 * time.Second,
	}})

	first := must(t, s, "")
	if first.Count[source.Person] != 40 || first.Count[source.Group] != 1 || !first.All(source.Group) {
		t.Fatalf("it hands over %v, complete %v", first.Count, first.Complete)
	}
	one, ok := first.of("pers7")
	entry, refused := m.Map(one)
	if !ok || one.Key != "04030201-0605-0807-090a-0b0c0d0e0f07" || entry.Values.One("login") != "pers7" || len(refused) > 0 {
		t.Errorf("pers7 is %+v, refused %v", entry, refused)
	}
	group := first.records[len(first.records)-1]
	if got := slices.Compact(slices.Sorted(slices.Values(group.Values["member"]))); len(got) != 40 {
		t.Errorf("the group has %d of 40 members", len(got))
	}

	dc.put(members[3], map[string][]string{"objectClass": {"user"}, "objectGUID": {"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x03"}, "sAMAccountName": {"PERS3"}, "sn": {"Durand"}})
	dc.remove(members[5])
	next := must(t, s, first.Cursor)
	changed, _ := next.said()
	if len(changed) != 1 || changed[0].First("sn") != "Durand" {
		t.Errorf("what changed is %+v", changed)
	}
	if after := next.merged(first.merged(nil)); len(after) != 40 || !next.All(source.Person) {
		t.Errorf("%d are left of 40, complete %v", len(after), next.Complete)
	}

	dc.mu.Lock()
	dc.name = "CN=NTDS Settings,CN=DC2" // another controller has other numbers
	dc.mu.Unlock()
	moved := must(t, s, next.Cursor)
	if changed, _ := moved.said(); len(changed) != 40 || len(moved.Remarks) != 1 {
		t.Errorf("at another controller %d changed, remarks %v", len(changed), moved.Remarks)
	}

	dc.mu.Lock()
	dc.usn = 1000 // it was restored from a backup, and gives its numbers again
	dc.mu.Unlock()
	restored := must(t, s, moved.Cursor)
	if changed, _ := restored.said(); len(changed) != 40 || len(restored.Remarks) != 1 {
		t.Errorf("of a controller that was restored %d changed, remarks %v", len(changed), restored.Remarks)
	}
}
