package registry

import "slices"

// CASService is what CAS needs to know of a service besides its patterns.
type CASService struct {
	ProxyTo []string `toml:"proxy_to" help:"identifiers of the services that this one may open on behalf of people, or *: all; empty: it gets no proxy-granting ticket"`
}

// AnyService in ProxyTo stands for every service.
const AnyService = "*"

// MayProxy reports whether the service gets proxy-granting tickets.
func (c CASService) MayProxy() bool { return len(c.ProxyTo) > 0 }

// MayProxyTo reports whether the service may open another one on behalf of people.
func (c CASService) MayProxyTo(service string) bool {
	return slices.Contains(c.ProxyTo, AnyService) || slices.Contains(c.ProxyTo, service)
}

func (c CASService) check(m *mistakes) {
	for _, target := range c.ProxyTo {
		if target != AnyService && !idForm.MatchString(target) {
			m.add("cas.proxy_to", "identifier", target+" is not the identifier of a service", target)
		}
	}
}
