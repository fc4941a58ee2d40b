package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

// television is an entry without a secret, for a device that has no keyboard.
const television = `[[services]]
id = "television"
name_fr = "Télévision du hall"
name_en = "Television of the hall"
protocol = "oidc"
attributes = ["displayName"]
[services.oidc]
client_id = "television"
auth_method = "none"
grants = ["device_code"]
`

// ask posts a form to an endpoint that programs use, and reads its answer.
func ask(t *testing.T, address string, form url.Values) (status int, said map[string]any) {
	t.Helper()
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.PostForm(address, form)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, said
}

func TestADeviceWithoutAKeyboardIsSignedInWithACode(t *testing.T) {
	t.Parallel()
	h := house.Start(t)
	if said, code := h.Command(t, television, "service", "add", "-"); code != 0 {
		t.Fatal(said)
	}
	bothWays(t, browser.Phone, func(t *testing.T, look browser.Look) {
		var code, shown string
		for deadline := time.Now().Add(10 * time.Second); shown == ""; time.Sleep(100 * time.Millisecond) { // the entry is read within seconds
			_, said := ask(t, h.URL+"/oidc/device", url.Values{"client_id": {"television"}, "scope": {"openid profile"}})
			code, _ = said["device_code"].(string)
			shown, _ = said["user_code"].(string)
			if time.Now().After(deadline) {
				t.Fatalf("no code: %v", said)
			}
		}
		tab := visitor(t, h, look)
		tab.Visit("/device")
		tab.Heading("Entrez.")
		signIn(tab, "student")
		tab.Heading("Connecter un appareil")
		tab.Check()
		tab.Picture("device-code")
		tab.Fill("Code", "BBBB-BBBB")
		tab.Expect(http.StatusUnprocessableEntity)
		tab.Press("Continuer")
		tab.Sees("Aucun appareil n’attend avec ce code.")
		tab.Check()
		tab.Fill("Code", shown)
		tab.Press("Continuer")
		tab.Heading("Laisser cet appareil entrer dans Télévision du hall\u202f?")
		tab.Sees(shown, "127.0.0.1", "Alors refusez")
		tab.Check()
		tab.Picture("device-allow")
		tab.Press("Le laisser entrer")
		tab.Heading("L’appareil est connecté")
		tab.Check()

		status, said := ask(t, h.URL+"/oidc/token", url.Values{
			"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "client_id": {"television"}, "device_code": {code},
		})
		if status != http.StatusOK || said["id_token"] == nil {
			t.Errorf("%d %v", status, said)
		}
	})
}

func TestAReturnAddressThatIsNotRegisteredIsExplained(t *testing.T) {
	t.Parallel()
	h := house.Start(t)
	if said, code := h.Command(t, television, "service", "add", "-"); code != 0 {
		t.Fatal(said)
	}
	wrong := "/oidc/authorize?" + url.Values{"client_id": {"television"}, "redirect_uri": {"https://stranger.example/cb"}, "response_type": {"code"}}.Encode()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Millisecond) { // the entry is read within seconds
		answer, err := http.Get(h.URL + wrong)
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode == http.StatusConflict {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the service is not known: %s", answer.Status)
		}
	}
	tab := signedIn(t, h, browser.Phone, "teacher")
	tab.Expect(http.StatusConflict)
	tab.Visit(wrong)
	tab.IsAt("/oidc/authorize")
	tab.Sees("L’adresse de retour n’est pas la bonne.", "https://stranger.example/cb", "sso.oidc_redirect_unknown")
	tab.Check()
	tab.Picture("openid-wrong-address")
}
