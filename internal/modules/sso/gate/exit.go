package gate

import (
	"net/http"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
)

// Exit is the way out, the same for every protocol. The room implements it.
type Exit interface {
	// SignOut ends the session of the browser, at every service that it opened, and
	// shows what was closed and what was not.
	SignOut(w http.ResponseWriter, r *http.Request, d Departing) error
}

// Departing is how somebody leaves.
type Departing struct {
	// Service asked for the sign-out; nil when nobody is known to have asked.
	Service *registry.Service
	// Onward is where the browser goes afterwards: an address that the protocol
	// found registered for Service. Empty: it stays with us.
	Onward string
	// Refused is why an address that was asked for is not followed; nil when none
	// was, or when it is followed.
	Refused error
}

// Way is how a person's browser tells a service that their session ended.
type Way struct {
	// URL is where the browser goes; it may be an address of ours that leads on.
	URL string
	// Origin is the service's, for the policy of a page that holds URL in a frame.
	Origin string
}
