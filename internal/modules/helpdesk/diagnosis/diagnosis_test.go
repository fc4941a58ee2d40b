package diagnosis_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk"
	. "github.com/amphi-campus/amphi/internal/modules/helpdesk/diagnosis"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

func TestTheGuideLeadsToWhatMendsIt(t *testing.T) {
	for _, test := range []struct {
		name, said string
		known      Known
		question   string
		leaf       string
		area       ticket.Area
	}{
		{"nothing is known: the first question", "", Known{}, "what", "", ""},
		{"signing in, where nobody vouches for people: no question about it", "signin", Known{}, "seen", "", ""},
		{"signing in, where somebody does: the most telling question", "signin", Known{Vouchers: true}, "vouched", "", ""},
		{"it does not open there either", "signin/upstream_stops/upstream_expired", Known{Vouchers: true}, "", "upstream_expired", ticket.AreaUpstream},
		{"a forgotten password", "signin/refused/forgotten", Known{}, "", "forgotten", ticket.AreaAccount},
		{"a browser at fault", "signin/nothing/browser_works", Known{}, "", "browser_fault", ticket.AreaAccount},
		{"neither browser nor network", "portal/browser_fails/place_fails", Known{}, "", "stuck", ticket.AreaPortal},
		{"the network is at fault", "portal/browser_fails/place_works", Known{}, "", "network_blocks", ticket.AreaNetwork},
		{"a service: which one", "service", Known{}, "which", "", ""},
		{"a service that is not in the list", "service/unnamed", Known{}, "scope", "", ""},
		{"a service whose account nobody knows", "", Known{Service: "moodle"}, "scope", "", ""},
		{"a service whose account is coming: no question", "", Known{Service: "moodle", Account: contract.AccountQueued}, "", "account_coming", ticket.AreaService},
		{"a service whose account is blocked", "service", Known{Service: "moodle", Account: contract.AccountBlocked}, "", "account_blocked", ticket.AreaService},
		{"a service whose account is not due", "service", Known{Service: "moodle", Account: contract.AccountNotDue}, "", "account_not_due", ticket.AreaService},
		{"a service whose account is closing", "service", Known{Service: "moodle", Account: contract.AccountLeaving}, "", "account_leaving", ticket.AreaService},
		{"a service whose account is ready", "service", Known{Service: "moodle", Account: contract.AccountReady}, "scope", "", ""},
		{"an outage comes before the account", "service", Known{Service: "moodle", Account: contract.AccountQueued, Outage: true}, "", "outage", ticket.AreaService},
		{"all services: it is signing in", "service/all", Known{Service: "moodle", Account: contract.AccountReady}, "seen", "", ""},
		{"something missing inside", "service/only_this/missing_inside", Known{Service: "moodle"}, "", "service_content", ticket.AreaService},
		{"the reason of a sign-in that failed answers everything", "", Known{Reason: "identity.account_suspended"}, "", "suspended", ticket.AreaAccount},
		{"and there is no need for the most telling question", "signin", Known{Reason: "identity.upstream_password_expired", Vouchers: true}, "", "upstream_expired", ticket.AreaUpstream},
		{"a reason that no leaf explains is asked about", "signin", Known{Reason: "identity.key_site"}, "seen", "", ""},
		{"what somebody says goes over what is known", "hardware/card", Known{Reason: "identity.account_suspended"}, "", "card", ticket.AreaHardware},
		{"an answer that is none is passed over", "signin/nonsense/refused", Known{}, "refused", "", ""},
		{"else", "else", Known{}, "", "else", ticket.AreaOther},
	} {
		t.Run(test.name, func(t *testing.T) {
			var said []string
			if test.said != "" {
				said = strings.Split(test.said, "/")
			}
			p := Walk(said, test.known)
			switch {
			case test.question != "" && (p.Question == nil || p.Question.Key != test.question):
				t.Errorf("at %+v", p)
			case test.leaf != "" && (p.Leaf == nil || p.Leaf.Key != test.leaf || p.AreaOf() != test.area):
				t.Errorf("at %+v", p)
			}
		})
	}
}

func TestEveryAnswerLeadsSomewhereAndEveryPlaceIsReached(t *testing.T) {
	questions, leaves, answers := map[string]bool{Root: true}, map[string]bool{}, map[string]string{}
	known := map[string]bool{}
	for _, q := range Questions {
		known[q.Key] = true
	}
	for _, q := range Questions {
		for _, a := range q.Answers {
			if before := answers[a.Key]; before != "" {
				t.Errorf("%s answers %s and %s", a.Key, before, q.Key)
			}
			answers[a.Key] = q.Key
			switch {
			case known[a.To]:
				questions[a.To] = true
			case LeafOf(a.To) != nil:
				leaves[a.To] = true
			default:
				t.Errorf("%s of %s leads to %q, which is nowhere", a.Key, q.Key, a.To)
			}
		}
	}
	for _, q := range Questions {
		if !questions[q.Key] {
			t.Errorf("nothing leads to the question %s", q.Key)
		}
	}
	for _, reason := range Reasons() {
		leaves[ByReason(reason).Key] = true
	}
	for _, l := range Leaves {
		if !leaves[l.Key] {
			t.Errorf("nothing leads to the leaf %s", l.Key)
		}
		if l.Mend == "" && !l.Write && !l.Account && l.Key != "outage" && l.Key != "upstream_expired" {
			t.Errorf("the leaf %s mends nothing and explains nothing", l.Key)
		}
	}
	for _, name := range []string{"write", "code"} { // pages with addresses of their own
		if answers[name] != "" {
			t.Errorf("the answer %s hides a page", name)
		}
	}
}

func TestEveryPlaceHasItsWords(t *testing.T) {
	texts := i18ntest.Load(t, time.UTC, clock.System(), (&helpdesk.Module{}).Locales(), web.Locales, ui.Locales)
	for _, l := range campus.Locales {
		p := texts.For(l)
		want := func(key string) {
			if !p.Has(key) {
				t.Errorf("%s: %s is missing", l, key)
			}
		}
		for _, q := range Questions {
			want("helpdesk.diagnosis.ask." + q.Key + ".title")
			for _, a := range q.Answers {
				want("helpdesk.diagnosis.answer." + a.Key)
			}
		}
		for _, leaf := range Leaves {
			want("helpdesk.diagnosis.leaf." + leaf.Key + ".title")
			want("helpdesk.diagnosis.leaf." + leaf.Key + ".text")
			if leaf.Mend != "" {
				want("helpdesk.diagnosis.leaf." + leaf.Key + ".mend")
			}
		}
	}
}

func TestWhoCannotEnterIsLockedOut(t *testing.T) {
	for leaf, want := range map[string]bool{"locked": true, "lost_factor": true, "card": false, "account_coming": false, "": false} {
		if LockedOut(leaf) != want {
			t.Errorf("%q: %t", leaf, !want)
		}
	}
}

func TestTheGuideBeginsWithWhatIsForemostTheseDays(t *testing.T) {
	keys := func(q Question) (list []string) {
		for _, a := range q.Answers {
			list = append(list, a.Key)
		}
		return list
	}
	usual, rush := keys(Start(nil)), keys(Start([]ticket.Area{ticket.AreaHardware, ticket.AreaNetwork}))
	if usual[0] != "signin" || !slices.Equal(rush, []string{"hardware", "network", "signin", "service", "portal", "else"}) {
		t.Errorf("usually %v, at the start of term %v", usual, rush)
	}
	if !slices.Equal(keys(Start(nil)), usual) {
		t.Error("the tree itself was sorted")
	}
}
