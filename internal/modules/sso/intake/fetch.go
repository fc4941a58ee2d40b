package intake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
)

// patience is how long an address may take to answer, with its redirects.
const patience = 20 * time.Second

// maxRedirects is how many redirects are followed.
const maxRedirects = 3

// Fetch reads an address, as [Read] does a text of at most most bytes. It has to be
// https, or http on this machine: what is fetched says where people are sent. The
// address itself is the administrator's word, and may lie inside the institution;
// where it leads on to is its server's, and has to be public.
func Fetch(ctx context.Context, client *http.Client, address, entity string, most int64) (Found, error) {
	u, err := url.Parse(address)
	if err != nil {
		return Found{}, fmt.Errorf("read the address: %w", err)
	}
	if local := u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1"; u.Scheme != "https" && !(local && u.Scheme == "http") {
		return Found{}, fmt.Errorf("%s is not https: whoever stands in between could send people elsewhere; fetch it yourself, look it over and give the file", address)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	resp, err := follow(ctx, client, u)
	if err != nil {
		return Found{}, fmt.Errorf("fetch %s: %w", address, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return Found{}, fmt.Errorf("%s answers %s", address, resp.Status)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err != nil {
		return Found{}, fmt.Errorf("fetch %s: %w", address, err)
	}
	if int64(len(text)) > most {
		return Found{}, fmt.Errorf("%s is larger than %d MiB: fetch it yourself and give the file to amphi service import, or subscribe to the federation with [[sso.saml.federations]]", address, most>>20)
	}
	found, err := Read(address, text, entity)
	if err != nil {
		return Found{}, err
	}
	for i := range found.Services {
		// From its address it can be fetched again: what is kept there stays true. One of
		// many is not read from there every day.
		if s := &found.Services[i]; s.Protocol == registry.SAML && len(found.Services) == 1 && !found.OneOfMany {
			s.SAML.MetadataURL, s.SAML.Metadata = address, ""
		}
	}
	return found, nil
}

// follow asks for an address, and where it leads on to: never from https to http,
// and to another host only where that is public. Otherwise a server outside could
// make ours read what lies inside.
func follow(ctx context.Context, client *http.Client, u *url.URL) (*http.Response, error) {
	first := u
	ask := *client
	ask.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for range maxRedirects + 1 {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return nil, err
		}
		r.Header.Set("Accept", "application/samlmetadata+xml, application/json, application/toml;q=0.9, */*;q=0.5")
		if u.Host != first.Host {
			ask.Transport = public(client.Transport)
		}
		resp, err := ask.Do(r)
		if err != nil {
			return nil, err
		}
		next, err := resp.Location()
		if errors.Is(err, http.ErrNoLocation) || resp.StatusCode/100 != 3 {
			return resp, nil
		}
		resp.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("it leads on to an address that cannot be read: %w", err)
		}
		if first.Scheme == "https" && next.Scheme != "https" {
			return nil, fmt.Errorf("it leads on to %s, which is not https", next)
		}
		u = next
	}
	return nil, errors.New("more than three redirects")
}

// errInside: a redirect leads to an address that is not public.
var errInside = errors.New("it leads on to an address inside a network: give that address itself")

// public is a transport that connects to public addresses alone. The address is
// looked at when the connection is made, so no name can change its mind in between;
// a proxy would hide it, and is not used.
func public(base http.RoundTripper) http.RoundTripper {
	transport, ok := cmp.Or[http.RoundTripper](base, http.DefaultTransport).(*http.Transport)
	if !ok {
		transport = &http.Transport{}
	}
	transport = transport.Clone()
	transport.Proxy = nil
	transport.DisableKeepAlives = true // it serves one request
	transport.DialContext = (&net.Dialer{Timeout: patience, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if ip := at.Addr().Unmap(); err != nil || !ip.IsGlobalUnicast() || ip.IsPrivate() || shared.Contains(ip) {
			return errInside
		}
		return nil
	}}).DialContext
	return transport
}

// shared is the address space between providers and their customers (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")
