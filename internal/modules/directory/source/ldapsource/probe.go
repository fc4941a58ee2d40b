package ldapsource

import (
	"context"
	"crypto/tls"

	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

var _ source.Prober = (*Source)(nil)

// Probe implements source.Prober: to every server, and one page of each place at the
// last that answers.
func (s *Source) Probe(ctx context.Context) (steps []source.Step) {
	r := &reading{Source: s, ctx: ctx, told: map[string]bool{}}
	defer func() {
		if r.conn != nil {
			r.conn.Close() // it was only looked at
		}
	}()
	for _, address := range s.config.LDAP.URLs {
		conn, err := s.dial(ctx, address)
		if err != nil {
			steps = append(steps, source.Step{Name: source.StepConnect, Detail: address, Err: s.unreachable(err)})
			continue
		}
		step := source.Step{Name: source.StepConnect, Detail: address}
		if state, encrypted := conn.TLSConnectionState(); encrypted && len(state.PeerCertificates) > 0 {
			step.Detail += " " + tls.VersionName(state.Version)
			step.Ends = state.PeerCertificates[0].NotAfter
		}
		steps = append(steps, step)
		if r.conn != nil {
			r.conn.Close() // the next one is looked at instead
		}
		r.conn = conn
		if err := s.bind(conn); err != nil {
			return append(steps, source.Step{Name: "bind", Detail: s.config.LDAP.BindDN, Err: err})
		}
		steps = append(steps, source.Step{Name: "bind", Detail: s.config.LDAP.BindDN})
		if r.server, err = ask(conn); err != nil {
			return append(steps, source.Step{Name: "changes", Detail: address, Err: s.unreachable(err)})
		}
	}
	if r.conn == nil {
		return steps
	}
	steps = append(steps, source.Step{Name: "changes", Detail: r.way()})
	for _, p := range s.places() {
		steps = append(steps, r.sample(p))
	}
	return steps
}

// sample reads a few entries of a place.
func (r *reading) sample(p place) source.Step {
	step := source.Step{Name: string(p.kind), Detail: p.base}
	const few = 5
	found, err := r.conn.Search(ldap.NewSearchRequest(p.base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, few, r.seconds(), false, p.filter, r.wanted(p.kind), nil))
	switch {
	case err != nil && !ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded):
		step.Err = r.explained(p, err)
		return step
	case len(found.Entries) == 0:
		step.Err = source.NothingFits.With(fault.Args{"source": r.config.ID, "base": p.base, "filter": p.filter})
		return step
	}
	record, err := r.record(p.kind, found.Entries[0], "")
	switch {
	case err != nil:
		step.Err = r.explained(p, err)
	case record.Key == "":
		step.Detail, step.Err = record.Where, source.KeyMissing.With(fault.Args{"attribute": r.key()})
	default:
		step.Sample = &record
	}
	return step
}
