package casserver

import (
	"net/http"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// maxArtifact bounds the question: the longest that a client sends is below a
// kilobyte, besides the ticket.
const maxArtifact = 64 << 10

// samlValidate answers in SAML 1.1 (appendix B): the ticket comes as an artifact
// in a SOAP envelope, the service's address as TARGET.
func (s *Server) samlValidate(w http.ResponseWriter, r *http.Request) error {
	targets := url.Values{}
	if values, err := queryOf(r); err == nil {
		targets = values
	}
	about := cas.Artifact{ID: id.New(), Issuer: s.Issuer, Recipient: targets.Get("TARGET"), At: s.Clock.Now()}
	asked, err := cas.ReadArtifactRequest(http.MaxBytesReader(w, r.Body, maxArtifact))
	if err != nil {
		f := cas.Failure{Code: cas.InvalidRequest, Description: "One AssertionArtifact in a SAML 1.1 request is needed."}
		return write(w, "text/xml; charset=utf-8", f.SAML(about))
	}
	about.Request = asked.ID
	q := question{services: targets["TARGET"], tickets: []string{asked.Ticket}, from: web.ClientAddr(r)}
	success, failure := s.validate(r.Context(), q)
	if failure != nil {
		return write(w, "text/xml; charset=utf-8", failure.SAML(about))
	}
	s.compareClocks(r, q, asked.IssuedAt)
	return write(w, "text/xml; charset=utf-8", success.SAML(about))
}

// clockTolerance is how far a service's clock may be from ours before its contact
// is told: at the default of common clients, assertions fail from a minute on.
const clockTolerance = time.Minute

// compareClocks notes a service whose clock is wrong: it refuses our answers for
// that, and says so to nobody.
func (s *Server) compareClocks(r *http.Request, q question, theirs time.Time) {
	ours := s.Clock.Now()
	if theirs.IsZero() || ours.Sub(theirs).Abs() < clockTolerance {
		return
	}
	address, err := cas.ParseServiceURL(q.services[0])
	if err != nil {
		return
	}
	if service, err := s.match(r.Context(), address); err == nil && service != nil {
		s.Gate.Note(r.Context(), gate.Incident{
			Service: service, Reason: ClockOff, Expected: ours.UTC().Format(time.RFC3339), Received: theirs.UTC().Format(time.RFC3339),
			Peer: q.from.String(),
		})
	}
}
