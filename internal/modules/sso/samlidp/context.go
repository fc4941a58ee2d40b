package samlidp

import (
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// strength orders the classes that we can state. A service that asks for at least
// a password is content with a second factor.
func strength(class string) (int, bool) {
	switch class {
	case saml.ContextUnspecified:
		return 0, true
	case saml.ContextPassword, saml.ContextPasswordProtected, saml.ContextRefedsSFA:
		return 1, true
	case saml.ContextRefedsMFA, saml.ContextMicrosoftMFA:
		return 2, true
	}
	return 0, false
}

// proved are the classes that somebody's session meets, first the one to state
// when nobody asks.
//
// A passkey or a sign-in elsewhere is no password, yet PasswordProtectedTransport
// is stated for it when a service insists: the class stands for "over TLS, at
// least as strong as a password", most toolkits ask for exactly it without being
// told to, and refusing would lock out those who sign in best.
func proved(v campus.Viewer, preferred string) []string {
	classes := []string{saml.ContextPasswordProtected, saml.ContextRefedsSFA, saml.ContextPassword, saml.ContextUnspecified}
	if secondFactor(v) {
		classes = append(classes, saml.ContextRefedsMFA, saml.ContextMicrosoftMFA)
	}
	if at := slices.Index(classes, preferred); at > 0 {
		classes = slices.Insert(slices.Delete(classes, at, at+1), 0, preferred)
	}
	return classes
}

// secondFactor reports whether a second factor was proved in the session: by a
// page of ours, or by a way to sign in that is two factors at once (RFC 8176,
// "mfa").
func secondFactor(v campus.Viewer) bool {
	return !v.FactorAt.IsZero() || slices.Contains(v.Methods, "mfa")
}

// withStep are the classes that one more step proves.
var withStep = []string{saml.ContextRefedsMFA, saml.ContextMicrosoftMFA}

// stepNeeded tells what a request asks of somebody who may not have signed in yet:
// whether it can be met at all, and whether a second factor has to be asked for.
func stepNeeded(asked *saml.RequestedAuthnContext, preferred string) (factor, can bool) {
	none := campus.Viewer{}
	without, met := asked.Choose(proved(none, preferred), strength)
	class, can := asked.Choose(append(proved(none, preferred), withStep...), strength)
	if !can {
		return false, false
	}
	// Exact takes the first asked class that can be met: a service that prefers a
	// second factor and would do without is asked for one (REFEDS MFA, 5).
	exact := asked != nil && (asked.Comparison == "" || asked.Comparison == saml.Exact)
	return !met || exact && class != without && slices.Contains(withStep, class), true
}

// stated is the class to state for somebody who has signed in, or false when what
// was asked is not met.
func stated(asked *saml.RequestedAuthnContext, v campus.Viewer, preferred string) (string, bool) {
	return asked.Choose(proved(v, preferred), strength)
}
