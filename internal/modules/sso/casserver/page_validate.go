package casserver

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// serviceValidate answers as of CAS 2 and 3 (§2.5, §2.8). Both give the
// attributes: mod_auth_cas asks the former and shows them.
func (s *Server) serviceValidate(w http.ResponseWriter, r *http.Request) error {
	q, format := readQuestion(r)
	success, failure := s.validate(r.Context(), q)
	if strings.EqualFold(format, "JSON") {
		answer, err := success.JSON()
		if failure != nil {
			answer, err = failure.JSON()
		}
		if err != nil {
			return err
		}
		return write(w, "application/json; charset=utf-8", answer)
	}
	answer := success.XML()
	if failure != nil {
		answer = failure.XML()
	}
	return write(w, "application/xml; charset=utf-8", answer)
}

// plainValidate answers as of CAS 1 (§2.4).
func (s *Server) plainValidate(w http.ResponseWriter, r *http.Request) error {
	q, _ := readQuestion(r)
	success, failure := s.validate(r.Context(), q)
	answer := success.Plain()
	if failure != nil {
		answer = cas.Failure{}.Plain()
	}
	return write(w, "text/plain; charset=utf-8", answer)
}

// readQuestion reads what a service asks. What cannot be read is as good as
// missing: the answer is then INVALID_REQUEST, in the service's own format.
func readQuestion(r *http.Request) (q question, format string) {
	values, err := parameters(r)
	if err != nil {
		values = url.Values{"format": {r.URL.Query().Get("format")}}
	}
	return question{
		services: values["service"], tickets: values["ticket"],
		renew: cas.Flag(values["renew"]), from: web.ClientAddr(r),
	}, values.Get("format")
}

// write sends an answer of the protocol: always 200, a refusal is in the text.
func write(w http.ResponseWriter, media string, answer []byte) error {
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	w.Write(answer) // a client that went away is no failure of ours
	return nil
}
