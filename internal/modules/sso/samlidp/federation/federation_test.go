package federation

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

func TestEveryQueryPreparesOnBothDatabases(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", schema...)
}

func TestMembersOfAnAggregateAreFoundOneByOne(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		until := start.AddDate(0, 0, 8)
		h.serve("/fer.xml", aggregate(t, key(t, "fer"), until, member(t, 1, nil), member(t, 2, nil), member(t, 3, nil)))
		if err := h.Load(t.Context(), "fer"); err != nil {
			t.Fatal(err)
		}
		f, err := h.Find(t.Context(), "https://sp2.example/sp", nil)
		if err != nil || f.Source != "fer" || f.Entity.SP.ACS[0].Location != "https://sp2.example/acs" || !f.Until.Equal(until) {
			t.Fatalf("%+v %v", f, err)
		}
		if len(f.Entity.SP.SigningKeys()) != 1 || f.Entity.Contacts[0].Emails[0] != "tech2@sp.example" {
			t.Errorf("what was stored lost something: %+v", f.Entity)
		}
		if s := h.state("fer"); s.Entities != 3 || s.Problem != "" || !s.Until.Equal(until) {
			t.Errorf("%+v", s)
		}
		found, err := h.Search(t.Context(), "biblio 3", 10)
		if err != nil || len(found) != 1 || found[0].EntityID != "https://sp3.example/sp" || found[0].Name != "Bibliothèque 3 / Library 3" {
			t.Errorf("%+v %v", found, err)
		}
		h.clock.Set(until)
		if _, err := h.Find(t.Context(), "https://sp2.example/sp", nil); !errors.Is(err, Expired) {
			t.Errorf("past its end: %v", err)
		}
	})
}

func TestALaterAggregateChangesWhatChanged(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.serve("/fer.xml", aggregate(t, key(t, "fer"), start.AddDate(0, 0, 5), member(t, 1, nil), member(t, 2, nil)))
		if err := h.Load(t.Context(), "fer"); err != nil {
			t.Fatal(err)
		}
		before, err := h.digests(t.Context(), "fer")
		if err != nil {
			t.Fatal(err)
		}
		moved := func(e *saml.Entity) { e.SP.ACS[0].Location = "https://sp2.example/moved" }
		h.serve("/fer.xml", aggregate(t, key(t, "fer"), start.AddDate(0, 0, 6), member(t, 2, moved), member(t, 3, nil)))
		if err := h.Load(t.Context(), "fer"); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Find(t.Context(), "https://sp1.example/sp", nil); !errors.Is(err, Unknown) {
			t.Errorf("who left is found: %v", err)
		}
		f, err := h.Find(t.Context(), "https://sp2.example/sp", nil)
		if err != nil || f.Entity.SP.ACS[0].Location != "https://sp2.example/moved" {
			t.Errorf("%v", err)
		}
		after, err := h.digests(t.Context(), "fer")
		if err != nil || len(before) != 2 || len(after) != 2 {
			t.Errorf("%d, then %d, %v", len(before), len(after), err)
		}
		h.asked = nil
		if err := h.Load(t.Context(), "fer"); err != nil || len(h.asked) != 1 || h.state("fer").Problem != "" {
			t.Errorf("unchanged: %v", err)
		}
	})
}

func TestABadAggregateLeavesTheFormerOneInUse(t *testing.T) {
	good := start.AddDate(0, 0, 5)
	for name, c := range map[string]struct {
		page   func() string
		status int
		want   error
	}{
		"unsigned":         {page: func() string { return aggregate(t, nil, good, member(t, 9, nil)) }, want: saml.ErrUnsigned},
		"by somebody else": {page: func() string { return aggregate(t, key(t, "world"), good, member(t, 9, nil)) }, want: saml.ErrUnknownKey},
		"altered": {page: func() string {
			return strings.Replace(aggregate(t, key(t, "fer"), good, member(t, 9, nil)), "sp9.example/acs", "evil.example/a", 1)
		}, want: saml.ErrAltered},
		"past its end":          {page: func() string { return aggregate(t, key(t, "fer"), start.Add(-time.Hour), member(t, 9, nil)) }},
		"without an end":        {page: func() string { return aggregate(t, key(t, "fer"), time.Time{}, member(t, 9, nil)) }, want: saml.ErrMissing},
		"good for years":        {page: func() string { return aggregate(t, key(t, "fer"), start.AddDate(3, 0, 0), member(t, 9, nil)) }, want: saml.ErrUnexpected},
		"older than the former": {page: func() string { return aggregate(t, key(t, "fer"), good.Add(-time.Hour), member(t, 9, nil)) }, want: Older},
		"cut short":             {page: func() string { p := aggregate(t, key(t, "fer"), good, member(t, 9, nil)); return p[:len(p)/2] }},
		"with an entity": {page: func() string {
			return `<!DOCTYPE x [<!ENTITY e "x">]>` + aggregate(t, key(t, "fer"), good, member(t, 9, nil))
		}, want: saml.ErrDTD},
		"not there":      {status: 500},
		"a page of HTML": {page: func() string { return "<html><body>Maintenance</body></html>" }},
	} {
		t.Run(name, func(t *testing.T) {
			h := one(t)
			h.serve("/fer.xml", aggregate(t, key(t, "fer"), good, member(t, 1, nil)))
			if err := h.Load(t.Context(), "fer"); err != nil {
				t.Fatal(err)
			}
			if c.page != nil {
				h.serve("/fer.xml", c.page())
			}
			h.status["/fer.xml"] = c.status
			err := h.Load(t.Context(), "fer")
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%v", err)
			}
			if _, err := h.Find(t.Context(), "https://sp1.example/sp", nil); err != nil {
				t.Errorf("the former one is gone: %v", err)
			}
			if _, err := h.Find(t.Context(), "https://sp9.example/sp", nil); !errors.Is(err, Unknown) {
				t.Errorf("the bad one counts: %v", err)
			}
			if s := h.state("fer"); s.Problem == "" || !s.ProblemAt.Equal(start) {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestAggregatesAreReadOnceADayAndSoonerAfterAFailure(t *testing.T) {
	h := one(t)
	h.serve("/fer.xml", aggregate(t, key(t, "fer"), start.AddDate(0, 0, 5), member(t, 1, nil)))
	read := func() int {
		h.asked = nil
		h.LoadDue(t.Context()) //nolint:errcheck // the failures are part of the test
		return questions(h.asked, "/fer.xml")
	}
	if read() != 1 || read() != 0 {
		t.Error("first now, then not again")
	}
	h.clock.Advance(23 * time.Hour)
	if read() != 0 {
		t.Error("after 23 hours")
	}
	h.clock.Advance(time.Hour)
	h.status["/fer.xml"] = 503
	if read() != 1 {
		t.Error("after a day")
	}
	h.clock.Advance(time.Hour)
	if read() != 1 {
		t.Error("an hour after a failure")
	}
}

func TestAQueryServerIsAskedForOneEntityAtATime(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const id = "https://sp5.example/sp"
		path := "/mdq/entities/" + url.PathEscape(id)
		until := func(e *saml.Entity) { e.ValidUntil, e.CacheDuration = start.AddDate(0, 0, 6), 2*time.Hour }
		h.serve(path, alone(t, key(t, "world"), member(t, 5, until)))
		for range 3 {
			f, err := h.Find(t.Context(), id, nil)
			if err != nil || f.Source != "world" {
				t.Fatalf("%v", err)
			}
			h.clock.Advance(time.Minute)
		}
		if n := questions(h.asked, path); n != 1 {
			t.Errorf("asked %d times", n)
		}
		h.clock.Advance(2 * time.Hour)
		h.status[path] = 503
		if _, err := h.Find(t.Context(), id, nil); err != nil || questions(h.asked, path) != 2 {
			t.Errorf("while the server is away, its last answer is good: %v", err)
		}
		h.clock.Set(start.AddDate(0, 0, 6))
		if _, err := h.Find(t.Context(), id, nil); !errors.Is(err, Expired) {
			t.Errorf("but not past its end: %v", err)
		}
	})
}

func TestAnswersOfAQueryServerAreRefusedThatProveNothing(t *testing.T) {
	until := func(e *saml.Entity) { e.ValidUntil = start.AddDate(0, 0, 6) }
	for name, page := range map[string]func() string{
		"unsigned":          func() string { return alone(t, nil, member(t, 5, until)) },
		"by somebody else":  func() string { return alone(t, key(t, "fer"), member(t, 5, until)) },
		"of another entity": func() string { return alone(t, key(t, "world"), member(t, 6, until)) },
		"without an end":    func() string { return alone(t, key(t, "world"), member(t, 5, nil)) },
		"no service": func() string {
			return alone(t, key(t, "world"), &saml.Entity{ID: "https://sp5.example/sp", ValidUntil: start.AddDate(0, 0, 6), IDP: &saml.IDPRole{}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := one(t)
			h.serve("/mdq/entities/"+url.PathEscape("https://sp5.example/sp"), page())
			if f, err := h.Find(t.Context(), "https://sp5.example/sp", nil); err == nil {
				t.Errorf("taken from %s", f.Source)
			}
		})
	}
	h := one(t)
	if _, err := h.Find(t.Context(), "https://nobody.example/sp", nil); !errors.Is(err, Unknown) {
		t.Errorf("%v", err)
	}
	for range 20 {
		h.Find(t.Context(), "https://nobody.example/sp", nil) //nolint:errcheck // the questions are counted
	}
	if n := len(h.asked); n != 1 {
		t.Errorf("a stranger made us ask %d times", n)
	}
}

func TestWhoNamesManyEntitiesFloodsNoQueryServer(t *testing.T) {
	h := one(t)
	for i := range 3 * queryRate.Burst {
		if _, err := h.Find(t.Context(), fmt.Sprintf("https://sp%d.invalid/sp", i), nil); err == nil {
			t.Fatal("there is one")
		}
	}
	if n := len(h.asked); n > queryRate.Burst {
		t.Errorf("asked %d times at once", n)
	}
	h.clock.Advance(time.Minute)
	h.Find(t.Context(), "https://sp.invalid/later", nil) //nolint:errcheck // the questions are counted
	if n := len(h.asked); n != queryRate.Burst+1 {
		t.Errorf("a minute later asked %d times", n)
	}
}

// own is a service with an entry and the address of its metadata.
func (h *house) own() *registry.Service {
	h.services = []registry.Service{{ID: "wiki", NameFrench: "Wiki", Protocol: registry.SAML, SAML: registry.SAMLPeer{EntityID: "https://sp7.example/sp", MetadataURL: h.site.URL + "/wiki.xml"}}}
	return &h.services[0]
}

func TestAServicesNewMetadataCountsAndItsNewKeysAreNoticed(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.own()
		h.serve("/wiki.xml", alone(t, nil, member(t, 7, nil)))
		if f, err := h.Find(t.Context(), s.SAML.EntityID, s); err != nil || f.Source != "service:wiki" {
			t.Fatalf("a new entry is read at once: %v", err)
		}
		both := func(e *saml.Entity) {
			e.SP.Keys = append(e.SP.Keys, saml.RoleKey{PublicKey: key(t, "member next").Public(), Use: saml.UseSigning})
		}
		h.serve("/wiki.xml", alone(t, nil, member(t, 7, both)))
		if err := h.RefreshAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(h.changes) != 1 || !slices.Equal(h.changes[0].Come, []string{saml.Fingerprint(key(t, "member next").Certificate)}) || len(h.changes[0].Gone) != 0 {
			t.Errorf("noticed %+v", h.changes)
		}
		f, err := h.Find(t.Context(), s.SAML.EntityID, s)
		if err != nil || len(f.Entity.SP.SigningKeys()) != 2 {
			t.Errorf("%v", err)
		}
		ends, err := h.Certificates(t.Context())
		if err != nil || len(ends) != 2 || ends[0].Service != "wiki" || !ends[0].NotAfter.Equal(key(t, "member").Certificate.NotAfter) {
			t.Errorf("%+v %v", ends, err)
		}
		h.services = nil
		if err := h.RefreshAll(t.Context()); err != nil || h.state("service:wiki").Source != "" {
			t.Errorf("what nobody names is forgotten: %v", err)
		}
	})
}

func TestBadMetadataOfAServiceLeavesTheFormerInUse(t *testing.T) {
	for name, edit := range map[string]func(e *saml.Entity){
		"of another entity":    func(e *saml.Entity) { e.ID = "https://evil.example" },
		"without an address":   func(e *saml.Entity) { e.SP.ACS = nil },
		"past its end":         func(e *saml.Entity) { e.ValidUntil = start.Add(-time.Hour) },
		"of no service at all": func(e *saml.Entity) { e.SP, e.IDP = nil, &saml.IDPRole{} },
	} {
		t.Run(name, func(t *testing.T) {
			h := one(t)
			s := h.own()
			h.serve("/wiki.xml", alone(t, nil, member(t, 7, nil)))
			if err := h.Refresh(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			h.serve("/wiki.xml", alone(t, nil, member(t, 7, edit)))
			if err := h.Refresh(t.Context(), s); err == nil {
				t.Error("it was taken")
			}
			if len(h.changes) != 1 || h.changes[0].Problem == nil || h.state("service:wiki").Problem == "" {
				t.Errorf("told %+v", h.changes)
			}
			if f, err := h.Find(t.Context(), s.SAML.EntityID, s); err != nil || len(f.Entity.SP.ACS) != 1 {
				t.Errorf("the former one is gone: %v", err)
			}
		})
	}
}

func TestMembersAreAdmittedAndToldByTheirCategories(t *testing.T) {
	mail := saml.RequestedAttribute{Attribute: saml.Attribute{Name: "urn:oid:0.9.2342.19200300.100.1.3"}, Required: true}
	asks := func(e *saml.Entity) {
		e.SP.Services = []saml.AttributeService{{Index: 1, Names: []saml.Localized{{Lang: "en", Text: "x"}}, Requested: []saml.RequestedAttribute{mail}}}
	}
	for name, c := range map[string]struct {
		config   Config
		edits    []func(e *saml.Entity)
		admitted bool
		told     []registry.Attribute
	}{
		"nobody is admitted":        {edits: []func(e *saml.Entity){category(saml.CategoryResearch)}},
		"another category":          {config: Config{Admit: []string{saml.CategoryCodeOfConduct2}}, edits: []func(e *saml.Entity){category(saml.CategoryResearch)}},
		"research and scholarship":  {config: Config{Admit: []string{saml.CategoryResearch}}, edits: []func(e *saml.Entity){category(saml.CategoryResearch)}, admitted: true, told: []registry.Attribute{registry.DisplayName, registry.GivenName, registry.Surname, registry.Mail, registry.PrincipalName, registry.ScopedAffiliation}},
		"less by the configuration": {config: Config{Admit: []string{All}, Release: []registry.Attribute{registry.Mail}}, edits: []func(e *saml.Entity){category(saml.CategoryResearch)}, admitted: true, told: []registry.Attribute{registry.Mail}},
		"conduct: what it asks for": {config: Config{Admit: []string{All}}, edits: []func(e *saml.Entity){category(saml.CategoryCodeOfConduct2), asks}, admitted: true, told: []registry.Attribute{registry.Mail}},
		"no category: nothing":      {config: Config{Admit: []string{All}}, edits: []func(e *saml.Entity){asks}, admitted: true},
		"pseudonymous":              {config: Config{Admit: []string{All}}, edits: []func(e *saml.Entity){category(saml.CategoryPseudonymous)}, admitted: true, told: []registry.Attribute{registry.PairwiseID, registry.ScopedAffiliation, registry.Assurance, registry.HomeOrganization}},
	} {
		t.Run(name, func(t *testing.T) {
			e := member(t, 1, nil)
			for _, edit := range c.edits {
				edit(e)
			}
			s, ok := (&Found{Entity: e, Federation: &c.config}).Service()
			if ok != c.admitted {
				t.Fatalf("admitted %v", ok)
			}
			if !ok {
				return
			}
			slices.Sort(s.Attributes)
			slices.Sort(c.told)
			if !slices.Equal(s.Attributes, c.told) || !s.Consent || s.Contact != "tech1@sp.example" || s.NameFrench != "Bibliothèque 1" {
				t.Errorf("%+v", s)
			}
			if m := s.Check(); len(m) > 0 {
				t.Errorf("not an entry of the registry: %+v", m)
			}
		})
	}
}

func TestAMemberIsFoundByTheIdentifierOfItsSessions(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.serve("/fer.xml", aggregate(t, key(t, "fer"), start.AddDate(0, 0, 5), member(t, 1, category(saml.CategoryResearch)), member(t, 2, nil)))
		if err := h.Load(t.Context(), "fer"); err != nil {
			t.Fatal(err)
		}
		f, err := h.Find(t.Context(), "https://sp1.example/sp", nil)
		if err != nil {
			t.Fatal(err)
		}
		s, _ := f.Service()
		again, err := h.Member(t.Context(), s.ID)
		if err != nil || again.SAML.EntityID != "https://sp1.example/sp" || !again.FromConfiguration {
			t.Errorf("%+v %v", again, err)
		}
		for _, other := range []string{"wiki", MemberPrefix, MemberPrefix + "zzzzzzzzzzzzzzzzzzzzzzzz", MemberPrefix + entityKey("https://sp2.example/sp")[:memberKey]} {
			if _, err := h.Member(t.Context(), other); !errors.Is(err, Unknown) {
				t.Errorf("%s: %v", other, err)
			}
		}
	})
}

func TestAnEntryIsProposedForAMember(t *testing.T) {
	h := one(t)
	h.serve("/fer.xml", aggregate(t, key(t, "fer"), start.AddDate(0, 0, 5), member(t, 1, nil)))
	if err := h.Load(t.Context(), "fer"); err != nil {
		t.Fatal(err)
	}
	s, err := h.Propose(t.Context(), "https://sp1.example/sp")
	if err != nil || s.NameEnglish != "Library 1" || s.ID != "sp1-example" || s.SAML.MetadataURL != "" || len(s.Check()) > 0 {
		t.Errorf("%+v %v %v", s, s.Check(), err)
	}
	if _, err := h.Propose(t.Context(), "https://nobody.example"); !errors.Is(err, Unknown) {
		t.Errorf("%v", err)
	}
}
