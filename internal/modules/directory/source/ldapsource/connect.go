package ldapsource

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// server is what a server says of itself in its root (RFC 4512 §5.1).
type server struct {
	address string
	canSync bool   // RFC 4533
	active  bool   // Active Directory
	name    string // of the database of the domain controller
	usn     int64  // highest that it has given
	domain  string // DN of the domain that the controller keeps
}

// The names of what a server can do.
const (
	syncControl      = ldap.ControlTypeSyncRequest
	activeCapability = "1.2.840.113556.1.4.800" // LDAP_CAP_ACTIVE_DIRECTORY_OID
)

// connect opens a connection to the first server that answers, and binds.
func (r *reading) connect() error {
	var failures []error
	for _, address := range r.config.LDAP.URLs {
		conn, err := r.dial(r.ctx, address)
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", address, err))
			continue
		}
		if err := r.bind(conn); err != nil {
			conn.Close() // its answer was no
			return err
		}
		s, err := ask(conn)
		if err != nil {
			conn.Close() // it is of no use
			failures = append(failures, fmt.Errorf("%s: %w", address, err))
			continue
		}
		s.address = address
		r.conn, r.server = conn, s
		return nil
	}
	return r.unreachable(errors.Join(failures...))
}

// unreachable is why nothing can be asked of a server: its certificate, or that there is
// no connection at all.
func (s *Source) unreachable(err error) error {
	args := fault.Args{"source": s.config.ID, "detail": detail(err)}
	// After StartTLS the library keeps the words of the error alone.
	if untrusted := (*tls.CertificateVerificationError)(nil); errors.As(err, &untrusted) || strings.Contains(err.Error(), "failed to verify certificate") {
		return source.Untrusted.Because(err, args)
	}
	return source.Unreachable.Because(err, args)
}

func (s *Source) dial(ctx context.Context, address string) (*ldap.Conn, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("read the address: %w", err)
	}
	secure := u.Scheme == "ldaps"
	port := u.Port()
	switch {
	case port != "":
	case secure:
		port = ldap.DefaultLdapsPort
	default:
		port = ldap.DefaultLdapPort
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout())
	defer cancel()
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, err
	}
	trust := &tls.Config{RootCAs: s.roots, ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
	if secure {
		shaken := tls.Client(raw, trust)
		if err := shaken.HandshakeContext(ctx); err != nil {
			raw.Close() // nothing was said on it yet
			return nil, err
		}
		raw = shaken
	}
	conn := ldap.NewConn(raw, secure)
	conn.Start()
	conn.SetTimeout(s.timeout())
	if s.config.LDAP.StartTLS && u.Scheme == "ldap" {
		if err := conn.StartTLS(trust); err != nil {
			conn.Close() // nothing was said on it yet
			return nil, fmt.Errorf("StartTLS: %w", err)
		}
	}
	return conn, nil
}

// bind names us to the server.
func (s *Source) bind(conn *ldap.Conn) error {
	if s.config.LDAP.BindDN == "" {
		return nil
	}
	err := conn.Bind(s.config.LDAP.BindDN, s.config.LDAP.BindPassword)
	switch {
	case err == nil:
		return nil
	case lost(err):
		return s.unreachable(err)
	default:
		return source.AccountRefused.Because(err, fault.Args{"source": s.config.ID, "detail": detail(err)})
	}
}

// ask reads the root of a server. One that does not show it can do nothing special.
func ask(conn *ldap.Conn) (server, error) {
	found, err := conn.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, "(objectClass=*)",
		[]string{"supportedControl", "supportedCapabilities", "dsServiceName", "highestCommittedUSN", "defaultNamingContext"}, nil))
	switch {
	case lost(err):
		return server{}, err
	case err != nil || len(found.Entries) != 1:
		return server{}, nil
	}
	root := found.Entries[0]
	s := server{
		canSync: slices.Contains(root.GetAttributeValues("supportedControl"), syncControl),
		active:  slices.Contains(root.GetAttributeValues("supportedCapabilities"), activeCapability),
		name:    root.GetAttributeValue("dsServiceName"),
		domain:  root.GetAttributeValue("defaultNamingContext"),
	}
	if usn, err := strconv.ParseInt(root.GetAttributeValue("highestCommittedUSN"), 10, 64); err == nil {
		s.usn = usn
	}
	if s.usn == 0 || s.name == "" {
		return s, nil
	}
	s.name, err = database(conn, s.name)
	return s, err
}

// database names the copy of the data that a domain controller counts changes of: it gets
// another invocationId when it is restored from a backup, for it then gives numbers
// again that it has given ([MS-ADTS] 3.1.1.1.9). Who may not see it gets the controller.
func database(conn *ldap.Conn, controller string) (string, error) {
	found, err := conn.Search(ldap.NewSearchRequest(controller, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, "(objectClass=*)", []string{"invocationId"}, nil))
	switch {
	case lost(err):
		return "", err
	case err != nil || len(found.Entries) != 1 || len(found.Entries[0].GetRawAttributeValue("invocationId")) == 0:
		return controller, nil
	default:
		return controller + " " + guid(found.Entries[0].GetRawAttributeValue("invocationId")), nil
	}
}

// way is how changes are asked for: as configured, or the best that the server has.
func (r *reading) way() string {
	byUUID := r.key() == uuidAttribute // deletions are told by it
	switch {
	case r.config.LDAP.Changes != "":
		return r.config.LDAP.Changes
	case r.server.usn > 0:
		return source.ChangesUSN
	case r.server.canSync && byUUID:
		return source.ChangesSync
	default:
		return source.ChangesTimestamp
	}
}

// lost reports whether an error says that the connection is gone, not what the server
// answered.
func lost(err error) bool {
	return err != nil && (ldap.IsErrorWithCode(err, ldap.ErrorNetwork) || !isLDAP(err))
}

func isLDAP(err error) bool {
	var e *ldap.Error
	return errors.As(err, &e)
}

// detail is an error in few words, for a report.
func detail(err error) string {
	text := []rune(strings.TrimRight(err.Error(), ": ")) // the library adds a server's words, of which there may be none
	if len(text) > 200 {
		text = append(text[:199], '…')
	}
	return string(text)
}

// explained makes the error of a search into what it means for the run.
func (r *reading) explained(p place, err error) error {
	var own engineError
	if errors.As(err, &own) {
		return own.error
	}
	if err := r.ctx.Err(); err != nil {
		return fmt.Errorf("read %s: %w", r.config.ID, err)
	}
	args := fault.Args{"source": r.config.ID, "count": r.count(), "detail": detail(err), "base": p.base}
	switch {
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultSizeLimitExceeded, ldap.LDAPResultAdminLimitExceeded):
		return source.SizeLimited.Because(err, args)
	case ldap.IsErrorWithCode(err, ldap.LDAPResultTimeLimitExceeded):
		return source.TimeLimited.Because(err, args)
	case ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject):
		return source.BaseMissing.Because(err, args)
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultStrongAuthRequired):
		return source.AccountRefused.Because(err, args)
	case lost(err), ldap.IsErrorAnyOf(err, ldap.LDAPResultUnavailable, ldap.LDAPResultBusy):
		return source.BrokenOff.Because(err, args)
	default:
		return source.QuestionRefused.Because(err, args)
	}
}
