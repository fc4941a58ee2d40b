package ldapsource

import (
	"context"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// seconds is the time limit that the server is told.
func (s *Source) seconds() int { return max(1, int(s.timeout()/time.Second)) }

// whole reads everything of a place.
func (r *reading) whole(p place) error {
	err := r.pages(p.base, p.filter, r.wanted(p.kind), func(e *ldap.Entry) error { return r.take(p.kind, e, "") })
	if err != nil {
		return err
	}
	r.result.Complete = append(r.result.Complete, p.kind)
	return nil
}

// pages runs a search page by page (RFC 2696). What a page holds is handed over also
// when it ends with an error, such as a size limit.
func (r *reading) pages(base, filter string, attributes []string, each func(*ldap.Entry) error) error {
	stop := context.AfterFunc(r.ctx, func() { r.conn.Close() })
	defer stop()
	paging := ldap.NewControlPaging(r.page())
	for {
		// Without a limit of ours: a page is one already.
		request := ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, r.seconds(), false, filter, attributes, []ldap.Control{paging})
		found, err := r.conn.Search(request)
		if found != nil {
			for _, e := range found.Entries {
				if err := each(e); err != nil {
					return err
				}
			}
			r.elsewhere(found.Referrals)
		}
		if err != nil {
			return err
		}
		answer, ok := ldap.FindControl(found.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if !ok || len(answer.Cookie) == 0 {
			return nil
		}
		paging.SetCookie(answer.Cookie)
	}
}

// elsewhere remarks on other servers that we were sent to. Those that Active Directory names
// in every search below its root hold no people.
func (r *reading) elsewhere(referrals []string) {
	for _, address := range referrals {
		lower := strings.ToLower(address)
		if strings.Contains(lower, "dnszones") || strings.Contains(lower, "cn=configuration") || r.told[lower] {
			continue
		}
		r.told[lower] = true
		r.remark(source.ReferralLeft.With(fault.Args{"source": r.config.ID, "address": address}))
	}
}
