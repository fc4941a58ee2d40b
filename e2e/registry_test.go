package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

// journals is a service of somebody else: it shows that a ticket came, and asks
// nothing about it.
func journals(t *testing.T) *httptest.Server {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Journals</title><link rel="icon" href="data:,"><main><h1>Journals</h1><p>ticket: %t</p></main></html>`, r.URL.Query().Has("ticket"))
	}))
	t.Cleanup(site.Close)
	return site
}

func TestAnAdministratorConnectsAServiceThatAsksPeopleFirst(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Desk, func(t *testing.T, look browser.Look) {
		h := house.Shared(t)
		site := journals(t)
		id := fmt.Sprintf("revues-%t", look.Script)
		admin := signedIn(t, h, look, "admin")

		admin.Visit("/sso/services")
		admin.Follow("Ajouter un service")
		shown(admin, look, "registry-new")
		admin.Follow("CAS")
		shown(admin, look, "registry-form-cas")
		admin.Expect(http.StatusUnprocessableEntity)
		admin.Press("Enregistrer")
		admin.Sees("Donnez un nom dans au moins une langue.")
		shown(admin, look, "registry-form-mistakes")
		admin.Fill("Identifiant", id)
		admin.Fill("Nom en français", "Revues "+id)
		admin.Fill("Adresses admises (CAS)", site.URL+"/")
		admin.Tick("Nom affiché (displayName)")
		admin.Tick("Adresse électronique (mail)")
		admin.Tick("Demander d’abord l’accord")
		admin.Fill("Pourquoi il l’apprend, en français (facultatif)", "Pour vous envoyer les sommaires.")
		admin.Press("Enregistrer")
		admin.IsAt("/sso/services/" + id)
		shown(admin, look, "registry-service")

		admin.Press("Essayer la connexion")
		admin.Sees("Rien ne s’est encore passé.")
		shown(admin, look, "registry-walk")

		admin.Visit("/sso/simulator?service=" + id)
		admin.Fill("Personne", "student")
		admin.Press("Montrer ce qui se passerait")
		admin.Sees("Que se passerait-il", "L’accord de la personne", "demande quelque chose")
		shown(admin, look, "registry-simulator")

		student := signedIn(t, h, look, "student")
		student.Visit(h.URL + "/cas/login?service=" + site.URL + "/")
		student.Sees("Partager vos données", "Pour vous envoyer les sommaires.")
		shown(student, look, "registry-consent")
		student.Press("Refuser")
		student.Sees("Rien n’a été envoyé.")
		shown(student, look, "registry-consent-refused")
		student.Visit(h.URL + "/cas/login?service=" + site.URL + "/")
		student.Click("checkbox", "Adresse électronique")
		student.Press("Accepter et continuer")
		student.Sees("ticket: true")

		student.Visit(h.URL + "/sso/consents")
		student.Sees("Revues "+id, "Pour vous envoyer les sommaires.", "Vous avez écarté", "Adresse électronique")
		shown(student, look, "registry-consents")
		student.Press("Retirer mon accord — Revues " + id)
		student.Sees("Votre accord est retiré.")
		student.Visit(h.URL + "/cas/login?service=" + site.URL + "/")
		student.Sees("Partager vos données")
	})
}

func TestAnAdministratorConnectsServicesOfTheOtherProtocols(t *testing.T) {
	t.Parallel()
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		h := house.Shared(t)
		id := fmt.Sprintf("forge-%t", look.Script)
		admin := signedIn(t, h, look, "admin")
		admin.Visit("/sso/services/new?protocol=saml")
		shown(admin, look, "registry-form-saml")

		admin.Visit("/sso/services/new?protocol=oidc")
		admin.Fill("Identifiant", id)
		admin.Fill("Nom en français", "Forge "+id)
		admin.Fill("client_id", id)
		admin.Fill("Adresses de retour", "https://git.valmont.example/"+id)
		shown(admin, look, "registry-form-oidc")
		admin.Press("Enregistrer")
		admin.Sees("Le secret de Forge "+id, "client_secret")
		shown(admin, look, "registry-secret")
		admin.Follow("Je l’ai copié")
		admin.IsAt("/sso/services/" + id)
		admin.SeesNot("client_secret")

		said := command(t, h.Folder(), "", "service", "secret", id, "--ends", time.Now().AddDate(0, 0, 20).Format(time.DateOnly))
		if !strings.Contains(said, "client_secret") {
			t.Errorf("the command should show the new secret, it says %q", said)
		}
		// A change by the command is seen within a second.
		for deadline := time.Now().Add(15 * time.Second); !admin.Has("link", "Forge "+id) && time.Now().Before(deadline); {
			admin.Visit("/sso/calendar")
		}
		admin.Sees("Forge " + id)
		shown(admin, look, "registry-calendar")
	})
}
