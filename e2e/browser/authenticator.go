package browser

import (
	"context"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// Authenticator is a security key, or the keychain of a phone, plugged into a
// tab. It answers at once, as somebody who touches it would.
type Authenticator struct {
	tab *Tab
	id  webauthn.AuthenticatorID
}

// Keychain plugs in an authenticator that keeps passkeys and verifies who uses
// it, such as a phone's.
func (tab *Tab) Keychain() *Authenticator {
	tab.t.Helper()
	return tab.plug(webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	})
}

// SecurityKey plugs in a key that is only touched: it stores nothing and does not
// know who touches it.
func (tab *Tab) SecurityKey() *Authenticator {
	tab.t.Helper()
	return tab.plug(webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportUsb, AutomaticPresenceSimulation: true,
	})
}

func (tab *Tab) plug(options webauthn.VirtualAuthenticatorOptions) *Authenticator {
	tab.t.Helper()
	a := &Authenticator{tab: tab}
	tab.within("plug in an authenticator", func(ctx context.Context) error {
		if _, err := chromedp.Call(ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return err
		}
		answer, err := chromedp.Call(ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &options})
		a.id = answer.AuthenticatorID
		return err
	})
	return a
}

// Credentials are what the authenticator keeps.
func (a *Authenticator) Credentials() []*webauthn.Credential {
	a.tab.t.Helper()
	var found []*webauthn.Credential
	a.tab.within("read the authenticator", func(ctx context.Context) error {
		answer, err := chromedp.Call(ctx, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: a.id})
		found = answer.Credentials
		return err
	})
	return found
}

// Add puts a credential on the authenticator, as whoever cloned a key would.
func (a *Authenticator) Add(c *webauthn.Credential) {
	a.tab.t.Helper()
	a.tab.within("add a credential", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, webauthn.AddCredential, webauthn.AddCredentialParams{AuthenticatorID: a.id, Credential: c})
		return err
	})
}

// Touched says whether somebody is there to touch the authenticator, as at first.
// What it is asked while nobody is there, it never answers.
func (a *Authenticator) Touched(there bool) {
	a.tab.t.Helper()
	a.tab.within("leave the authenticator alone", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, webauthn.SetAutomaticPresenceSimulation, webauthn.SetAutomaticPresenceSimulationParams{AuthenticatorID: a.id, Enabled: there})
		return err
	})
}

// Unplug takes the authenticator away.
func (a *Authenticator) Unplug() {
	a.tab.t.Helper()
	a.tab.within("unplug the authenticator", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, webauthn.RemoveVirtualAuthenticator, webauthn.RemoveVirtualAuthenticatorParams{AuthenticatorID: a.id})
		return err
	})
}
