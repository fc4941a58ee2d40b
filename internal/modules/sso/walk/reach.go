package walk

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
)

// Reached is whether one address of a service answers us. That it does not is no
// proof: many services answer people and not servers.
type Reached struct {
	Address string
	Status  string // of its answer; empty when there was none
	Problem string // why there was none
	// CertificateEnds is when its certificate ends; zero for http.
	CertificateEnds time.Time
}

// Addresses are those of the service that its entry names, without wildcards.
func Addresses(s *registry.Service) []string {
	var list []string
	add := func(address string) {
		u, err := url.Parse(address)
		if err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && !slices.Contains(list, address) {
			list = append(list, address)
		}
	}
	add(s.Home)
	for _, text := range s.Patterns {
		add(patternAddress(text))
	}
	add(s.SAML.MetadataURL)
	add(s.SAML.LoginURL)
	for _, address := range s.OIDC.RedirectURIs {
		if u, err := url.Parse(address); err == nil && u.Host != "" {
			add(u.Scheme + "://" + u.Host + "/")
		}
	}
	add(s.OIDC.BackChannelURI)
	return list
}

// patience is how long each address may take.
const patience = 10 * time.Second

// Reach asks the addresses of a service for an answer.
func Reach(ctx context.Context, client *http.Client, s *registry.Service) []Reached {
	var list []Reached
	for _, address := range Addresses(s) {
		list = append(list, reach(ctx, client, address))
	}
	return list
}

func reach(ctx context.Context, client *http.Client, address string) Reached {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return Reached{Address: address, Problem: err.Error()}
	}
	resp, err := client.Do(r)
	if err != nil {
		var wrong *tls.CertificateVerificationError
		if errors.As(err, &wrong) {
			return Reached{Address: address, Problem: fmt.Sprintf("its certificate is not accepted: %v", wrong.Err)}
		}
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err
		}
		return Reached{Address: address, Problem: err.Error()}
	}
	defer resp.Body.Close()
	reached := Reached{Address: address, Status: resp.Status}
	if resp.TLS != nil && len(resp.TLS.PeerCertificates) > 0 {
		reached.CertificateEnds = resp.TLS.PeerCertificates[0].NotAfter
	}
	return reached
}
