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
	return s.answerValidation(w, r, q, format)
}

// proxyValidate is the same for services that also take proxy tickets (§2.6).
func (s *Server) proxyValidate(w http.ResponseWriter, r *http.Request) error {
	q, format := readQuestion(r)
	q.proxied = true
	return s.answerValidation(w, r, q, format)
}

func (s *Server) answerValidation(w http.ResponseWriter, r *http.Request, q question, format string) error {
	success, failure := s.validate(r.Context(), q)
	if strings.EqualFold(format, "JSON") {
		said, err := success.JSON()
		if failure != nil {
			said, err = failure.JSON()
		}
		if err != nil {
			return err
		}
		return write(w, "application/json; charset=utf-8", said)
	}
	said := success.XML()
	if failure != nil {
		said = failure.XML()
	}
	return write(w, "application/xml; charset=utf-8", said)
}

// plainValidate answers as of CAS 1 (§2.4), which knows no proxies.
func (s *Server) plainValidate(w http.ResponseWriter, r *http.Request) error {
	q, _ := readQuestion(r)
	q.callback = nil
	success, failure := s.validate(r.Context(), q)
	said := success.Plain()
	if failure != nil {
		said = cas.Failure{}.Plain()
	}
	return write(w, "text/plain; charset=utf-8", said)
}

// readQuestion reads what a service asks. What cannot be read is as good as
// missing: the answer is then INVALID_REQUEST, in the service's own format.
func readQuestion(r *http.Request) (q question, format string) {
	values, err := parameters(r)
	if err != nil {
		values = url.Values{"format": {r.URL.Query().Get("format")}}
	}
	return question{
		services: values["service"], tickets: values["ticket"], callback: values["pgtUrl"],
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
