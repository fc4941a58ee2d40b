package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/e2e/apache"
	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

func TestOneSignInOpensAnApacheThatOthersWrote(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		h := house.Shared(t)
		site := apache.Start(t, h.URL+"/cas")
		tab := visitor(t, h, look)

		tab.Visit(site.Protected())
		tab.Heading("Entrez.")
		tab.Check()
		tab.Picture("cas-sign-in")
		signIn(tab, "student")
		tab.Heading("A protected page")
		tab.Sees("Signed in as student", "HTTP_CAS_USER=student", "HTTP_CAS_MAIL=")
		if tab.Address() != site.Protected() {
			t.Errorf("the ticket should be gone from the address, which is %s", tab.Address())
		}
		cookies := tab.Cookies()

		// The second service opens without a question.
		other := apache.Start(t, h.URL+"/cas")
		tab.Visit(other.Protected())
		tab.Sees("Signed in as student")

		// One sign-out closes the sessions of both services.
		tab.Visit(h.URL + "/logout")
		tab.Press("Se déconnecter")
		tab.Heading("Vous êtes déconnecté.")
		waitUntilRefused(t, site.Protected(), cookies, h.URL+"/cas/login")
		tab.Visit(other.Protected())
		tab.Heading("Entrez.")
	})
}

func TestAnApacheInALoopIsStoppedOnAPageThatMendsIt(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		h := house.Shared(t)
		site := apache.Start(t, h.URL+"/cas")
		tab := visitor(t, h, look)
		// From an earlier visit; browsers send it before the one that Apache sets for
		// its whole site, and Apache reads the first.
		tab.KeepCookie(site.URL, "/secret/", "MOD_AUTH_CAS", "0123456789abcdef0123456789abcdef")

		tab.Visit(site.Protected())
		signIn(tab, "staff")
		tab.IsAt("/login/loop")
		tab.Sees("vous renvoie sans cesse ici.", "3 fois", "Chaque fois nous vous avons connecté, le service a accepté", "Votre mot de passe n’y est pour rien")
		find(t, tab, incidentForm)
		shown(tab, look, "loop-apache")
		tab.Press("Repartir à neuf")
		tab.IsAt("/login")
		tab.Sees("Ce navigateur est nettoyé.")

		tab.DropCookies() // of the service, as the page said
		tab.Visit(site.Protected())
		signIn(tab, "staff")
		tab.Heading("A protected page")
		tab.Sees("Signed in as staff")
	})
}

func TestAServiceThatNobodyRegisteredIsExplained(t *testing.T) {
	t.Parallel()
	tab := signedIn(t, house.Shared(t), browser.Phone, "teacher")
	tab.Expect(http.StatusNotFound)
	tab.Visit("/cas/login?service=" + "https%3A%2F%2Fstranger.example%2Fapp")
	if !strings.Contains(tab.Address(), "/cas/login") {
		t.Fatalf("the person should stay here, they are at %s", tab.Address())
	}
	tab.Sees("stranger.example")
	tab.Check()
	tab.Picture("cas-unknown-service")
}

// waitUntilRefused waits until the service no longer knows the bearer of these
// cookies and sends them to sign in: the news of a sign-out travels as a job.
func waitUntilRefused(t *testing.T, address string, cookies []*http.Cookie, login string) {
	t.Helper()
	client := &http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	where := ""
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept", "text/html") // as a browser, which can be sent to sign in
		for _, c := range cookies {
			request.AddCookie(c)
		}
		answer, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Body.Close(); err != nil {
			t.Fatal(err)
		}
		where = answer.Header.Get("Location")
		if strings.HasPrefix(where, login) {
			return
		}
	}
	t.Errorf("15 s after the sign-out the service still knows the person (%q)", where)
}
