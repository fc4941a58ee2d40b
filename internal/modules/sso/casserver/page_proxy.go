package casserver

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// proxyPage gives a service a ticket for another one (§2.7).
func (s *Server) proxyPage(w http.ResponseWriter, r *http.Request) error {
	values, err := parameters(r)
	if err != nil { // what cannot be read is as good as missing
		values = url.Values{}
	}
	ticket, failure := s.proxy(r.Context(), errand{grants: values["pgt"], targets: values["targetService"], from: web.ClientAddr(r)})
	if strings.EqualFold(values.Get("format"), "JSON") {
		said, err := cas.ProxyJSON(ticket, failure)
		if err != nil {
			return err
		}
		return write(w, "application/json; charset=utf-8", said)
	}
	said := cas.ProxyXML(ticket)
	if failure != nil {
		said = failure.ProxyXML()
	}
	return write(w, "application/xml; charset=utf-8", said)
}
