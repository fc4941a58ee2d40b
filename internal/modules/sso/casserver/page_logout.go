package casserver

import (
	"net/http"

	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// logout ends the session here and at the services (§2.3). It acts on a GET, as
// the protocol wants. Afterwards it follows a service address only when that is
// registered: anything else would make us a signpost for strangers.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) error {
	values, err := parameters(r)
	if err != nil {
		return err
	}
	// CAS 2 called the parameter url (§2.3.1).
	services := values["service"]
	if len(services) == 0 {
		services = values["url"]
	}
	if len(services) == 0 || services[0] == "" {
		return s.Exit.SignOut(w, r, gate.Departing{})
	}
	address, err := serviceAddress(services)
	if err != nil {
		return s.Exit.SignOut(w, r, gate.Departing{Refused: err})
	}
	service, err := s.match(r.Context(), address)
	if err != nil {
		return err
	}
	if service == nil {
		return s.Exit.SignOut(w, r, gate.Departing{Refused: SignOutTargetUnknown.With(fault.Args{"host": address.Host()})})
	}
	return s.Exit.SignOut(w, r, gate.Departing{Service: service, Onward: address.Address()})
}
