// Package ldapview is the directory as printers, telephones and mail programs read
// it: LDAP version 3 (RFC 4511), read only, each program with the eyes of an
// audience and each person with their own.
package ldapview

import (
	"cmp"
	"context"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/hashicorp/go-hclog"
	"github.com/jimlambrt/gldap"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/platform/clock"
)

// People finds whom a viewer sees; *find.Finder is one.
type People interface {
	Those(ctx context.Context, v campus.Viewer, condition func(find.Person) bool) ([]find.Person, error)
}

// Deps is what the view asks of the room.
type Deps struct {
	People   People
	Apps     contract.AppPasswords
	Clock    clock.Clock
	Log      *slog.Logger
	Base     *url.URL      // the address of the house
	Language campus.Locale // of the titles
}

// View answers programs. It is safe for concurrent use.
type View struct {
	Deps
	config Config
	base   *ldap.DN
	scans  chan struct{} // searches that go through the directory now

	mu    sync.Mutex
	bound map[int]binding         // by connection
	asks  map[campus.PersonID]int // searches of one reader that are under way
}

// binding is who a connection reads as, and since when.
type binding struct {
	viewer campus.Viewer
	since  time.Time
}

// bindAgain is how long a bind holds: after it, an account that was closed or a
// password that was taken away reads no longer.
const bindAgain = time.Hour

const (
	// scansAtOnce is how many searches go through the directory at a time: each may
	// hold everybody in memory.
	scansAtOnce = 4
	// mostAsks is how many searches one reader may have under way, those that wait
	// included; a program may send as many as it likes without reading an answer.
	mostAsks = 32
	// mostWanted is how many attributes a search may name, longestFilter how long its
	// filter may be.
	mostWanted, longestFilter = 100, 4096
)

// New makes a view for a configuration that Check accepts.
func New(d Deps, c Config) *View {
	return &View{Deps: d, config: c, scans: make(chan struct{}, scansAtOnce), bound: map[int]binding{}, asks: map[campus.PersonID]int{}}
}

// baseOf makes a base of a host name (RFC 2247): dc=ent,dc=valmont,dc=fr.
func baseOf(host string) string {
	if _, err := netip.ParseAddr(host); err == nil || host == "" {
		return "dc=amphi"
	}
	return "dc=" + strings.Join(strings.Split(host, "."), ",dc=")
}

// Serve answers until the context ends. Without an address to listen to it returns
// at once.
func (v *View) Serve(ctx context.Context) error {
	if v.config.Listen == "" {
		return nil
	}
	base, err := ldap.ParseDN(cmp.Or(v.config.Base, baseOf(v.Base.Hostname())))
	if err != nil {
		return fmt.Errorf("read the base of the LDAP view: %w", err)
	}
	v.base = base
	var starts *tls.Config
	if v.config.TLSCertificate != "" {
		pair, err := tls.LoadX509KeyPair(v.config.TLSCertificate, v.config.TLSKey)
		if err != nil {
			return fmt.Errorf("read the certificate of the LDAP view: %w", err)
		}
		starts = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	return listening(ctx, v.Log, func() error { return v.serve(ctx, starts) })
}

// serve opens the view and answers until the context ends, or until it cannot take
// programs in any more.
func (v *View) serve(ctx context.Context, starts *tls.Config) error {
	server, err := gldap.NewServer(
		gldap.WithLogger(hclog.NewNullLogger()), gldap.WithReadTimeout(longest), gldap.WithWriteTimeout(longest),
		gldap.WithOnClose(func(connection int) { v.forget(connection) }),
	)
	if err != nil {
		return fmt.Errorf("prepare the LDAP view: %w", err)
	}
	mux, err := gldap.NewMux()
	if err != nil {
		return fmt.Errorf("prepare the LDAP view: %w", err)
	}
	err = errors.Join(mux.Bind(v.safely(v.bind)), mux.Search(v.safely(v.search)), mux.Unbind(func(_ *gldap.ResponseWriter, r *gldap.Request) { v.forget(r.ConnectionID()) }),
		mux.Modify(v.refuse(gldap.ApplicationModifyResponse)), mux.Add(v.refuse(gldap.ApplicationAddResponse)), mux.Delete(v.refuse(gldap.ApplicationDelResponse)),
		server.Router(mux))
	if err != nil {
		return fmt.Errorf("prepare the LDAP view: %w", err)
	}
	outside, err := net.Listen("tcp", v.config.Listen)
	if err != nil {
		return fmt.Errorf("serve the LDAP view: %w", err)
	}
	defer outside.Close() // the gate has closed it, or nobody was let in
	inside, err := freeLoopback()
	if err != nil {
		return fmt.Errorf("serve the LDAP view: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 2)
	go func() { ended <- server.Run(inside) }()
	for ready := time.NewTicker(10 * time.Millisecond); !server.Ready(); <-ready.C {
		select {
		case err := <-ended:
			return fmt.Errorf("serve the LDAP view: %w", err)
		default:
		}
	}
	g := &gate{config: v.config, tls: starts, inside: inside, log: v.Log, from: map[netip.Addr]int{}}
	go func() { ended <- g.serve(ctx, outside) }()
	v.Log.Info("LDAP view", "listen", v.config.Listen, "base", v.base.String(), "tls", starts != nil)
	select {
	case err = <-ended:
		if err != nil {
			err = fmt.Errorf("serve the LDAP view: %w", err)
		}
	case <-ctx.Done():
	}
	cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- server.Stop() }()
	select {
	case failed := <-stopped:
		return errors.Join(err, failed)
	case <-time.After(stopPatience): // programs that stay connected are cut off with the process
		return err
	}
}

// freeLoopback is an address of this machine on which nobody listens now.
func freeLoopback() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// listenAgain is how long the view waits before it listens anew.
var listenAgain = time.Second

// listening keeps a view open. One that cannot listen ends with the error: it is
// wrongly configured. One that did listen, and cannot take programs in any more
// because too many are connected, must not close the house with it: it begins anew.
func listening(ctx context.Context, log *slog.Logger, serve func() error) error {
	for first := true; ; first = false {
		err := serve()
		if err == nil || ctx.Err() != nil {
			return nil
		}
		if op := (*net.OpError)(nil); first && (!errors.As(err, &op) || op.Op == "listen") {
			return err
		}
		log.Error("the LDAP view listens anew", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(listenAgain):
		}
	}
}

// stopPatience is how long programs have to hang up when the house closes.
const stopPatience = 2 * time.Second

// refuse answers who wants to change something.
func (v *View) refuse(application int) gldap.HandlerFunc {
	return func(w *gldap.ResponseWriter, r *gldap.Request) {
		v.write(w, r.NewResponse(gldap.WithApplicationCode(application), gldap.WithResponseCode(gldap.ResultUnwillingToPerform), gldap.WithDiagnosticMessage("this directory is read only")))
	}
}

// longest is how long a connection may last: the library counts from its beginning,
// for what is read and for what is written. Programs connect again.
const longest = 10 * time.Minute

// The library reads a message whole before it asks who sends it, and knows no bounds
// of its own but these, which hold for what sources answer as well: a group of a
// university fits into the size.
func init() { ber.MaxPacketLengthBytes, ber.MaxNestingDepth = 32<<20, 64 }

// safely keeps what one program makes go wrong from ending the house: the library
// answers each message in a goroutine of its own.
func (v *View) safely(h gldap.HandlerFunc) gldap.HandlerFunc {
	return func(w *gldap.ResponseWriter, r *gldap.Request) {
		defer func() {
			if trouble := recover(); trouble != nil {
				v.Log.Error("answer an LDAP program", "error", fmt.Sprint(trouble))
			}
		}()
		h(w, r)
	}
}

func (v *View) forget(connection int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.bound, connection)
}

func (v *View) viewer(connection int) campus.Viewer {
	v.mu.Lock()
	defer v.mu.Unlock()
	b := v.bound[connection]
	if v.Clock.Now().Sub(b.since) > bindAgain {
		return campus.Viewer{}
	}
	return b.viewer
}

// write sends an answer. A program that went away needs none.
func (v *View) write(w *gldap.ResponseWriter, answer gldap.Response) {
	if err := w.Write(answer); err != nil {
		v.Log.Debug("answer an LDAP program", "error", err)
	}
}

// bind lets a program or a person in (RFC 4511 §4.2). An anonymous bind succeeds and
// sees nothing.
func (v *View) bind(w *gldap.ResponseWriter, r *gldap.Request) {
	answer := r.NewBindResponse(gldap.WithResponseCode(gldap.ResultInvalidCredentials))
	defer func() { v.write(w, answer) }()
	v.forget(r.ConnectionID()) // a failed bind leaves the connection anonymous
	m, err := r.GetSimpleBindMessage()
	if err != nil {
		answer.SetResultCode(gldap.ResultAuthMethodNotSupported)
		return
	}
	if m.UserName == "" && m.Password == "" {
		answer.SetResultCode(gldap.ResultSuccess)
		return
	}
	if m.Password == "" { // RFC 4513 §5.1.2: a program that forgot the password must not think that it is in
		answer.SetResultCode(gldap.ResultUnwillingToPerform)
		return
	}
	// No lock after so many wrong ones: anybody on the network could shut it, and keep
	// every printer out. What opens here is far beyond guessing, which Check sees to.
	who, ok := v.enter(context.Background(), m.UserName, string(m.Password))
	if !ok {
		return
	}
	v.mu.Lock()
	v.bound[r.ConnectionID()] = binding{who, v.Clock.Now()}
	v.mu.Unlock()
	answer.SetResultCode(gldap.ResultSuccess)
}

// enter says with whose eyes a name and a password read: those of a configured
// program, or a person's own with an application password.
func (v *View) enter(ctx context.Context, name, password string) (campus.Viewer, bool) {
	dn, err := ldap.ParseDN(name)
	if err == nil && len(dn.RDNs) > 0 && len(dn.RDNs[0].Attributes) == 1 {
		below := &ldap.DN{RDNs: dn.RDNs[1:]}
		first := dn.RDNs[0].Attributes[0]
		readers, _ := ldap.ParseDN("ou=readers," + v.base.String())
		people, _ := ldap.ParseDN("ou=people," + v.base.String())
		switch {
		case below.EqualFold(readers) && strings.EqualFold(first.Type, "cn"):
			return v.reader(first.Value, password)
		case below.EqualFold(people) && strings.EqualFold(first.Type, "uid"):
			name = first.Value
		default:
			return campus.Viewer{}, false
		}
	}
	viewer, err := v.Apps.ByAppPassword(ctx, name, password, contract.AppContacts, netip.IPv4Unspecified()) // gldap does not tell the address
	return viewer, err == nil
}

// reader is the viewer that a configured program reads as.
func (v *View) reader(name, password string) (campus.Viewer, bool) {
	for _, r := range v.config.Readers {
		if strings.EqualFold(r.Name, name) && subtle.ConstantTimeCompare([]byte(r.Password), []byte(password)) == 1 {
			return readerOf(r), true
		}
	}
	return campus.Viewer{}, false
}

// readerOf is somebody who stands where the audience of a program does.
func readerOf(r ReaderConfig) campus.Viewer {
	who := campus.Viewer{Person: campus.PersonID("reader " + r.Name)}
	switch entry.Audience(r.Sees) {
	case entry.Employees:
		who.Affiliations = []campus.Affiliation{{Kind: campus.Staff}}
	case entry.Members:
		who.Affiliations = []campus.Affiliation{{Kind: campus.Student}}
	}
	return who
}

// search answers a search (RFC 4511 §4.5).
func (v *View) search(w *gldap.ResponseWriter, r *gldap.Request) {
	done := r.NewSearchDoneResponse(gldap.WithResponseCode(gldap.ResultSuccess))
	defer func() { v.write(w, done) }()
	m, err := r.GetSearchMessage()
	if err != nil {
		done.SetResultCode(gldap.ResultProtocolError)
		return
	}
	if m.BaseDN == "" && m.Scope == gldap.BaseObject {
		v.root(w, r)
		return
	}
	who := v.viewer(r.ConnectionID())
	if !who.SignedIn() {
		done.SetResultCode(gldap.ResultInsufficientAccessRights)
		done.SetDiagnosticMessage("bind first: nobody reads this directory without a name")
		return
	}
	if len(m.Attributes) > mostWanted || len(m.Filter) > longestFilter {
		done.SetResultCode(gldap.ResultAdminLimitExceeded)
		done.SetDiagnosticMessage("this search asks for too much at once")
		return
	}
	if !v.begin(who.Person) {
		done.SetResultCode(gldap.ResultBusy)
		done.SetDiagnosticMessage("wait for the answers to your searches")
		return
	}
	defer v.end(who.Person)
	matches, err := parse(m.Filter)
	if err != nil {
		done.SetResultCode(gldap.ResultProtocolError)
		done.SetDiagnosticMessage(err.Error())
		return
	}
	only, found := v.scope(m)
	if !found {
		done.SetResultCode(gldap.ResultNoSuchObject)
		done.SetMatchedDN(v.base.String())
		return
	}
	page := pagingOf(m)
	people, from, total, err := v.found(who, m, page, func(p find.Person) bool { return only(p) && matches(v.valuesOf(who, p)) == yes })
	if err != nil {
		v.Log.Error("answer an LDAP search", "error", err)
		done.SetResultCode(gldap.ResultUnavailable)
		return
	}
	for _, p := range people {
		v.write(w, v.entry(r, who, p, m))
	}
	to := from + len(people)
	switch {
	case page != nil:
		next, err := gldap.NewControlPaging(uint32(total)) // RFC 2696 §2: an estimate of all
		if err != nil {
			done.SetResultCode(gldap.ResultOther)
			return
		}
		if to < total {
			next.SetCookie([]byte(strconv.Itoa(to)))
		}
		done.SetControls(next)
	case to < total:
		done.SetResultCode(gldap.ResultSizeLimitExceeded)
	}
}

// found is the part of an answer that a search wants: from the from-th of total.
func (v *View) found(who campus.Viewer, m *gldap.SearchMessage, page *gldap.ControlPaging, matches func(find.Person) bool) (part []find.Person, from, total int, err error) {
	v.scans <- struct{}{}
	defer func() { <-v.scans }() // before a slow program reads its answer
	people, err := v.People.Those(context.Background(), who, matches)
	if err != nil {
		return nil, 0, 0, err
	}
	most := v.config.Most
	if page != nil {
		from, _ = strconv.Atoi(string(page.Cookie)) // an empty cookie is the beginning
		from = min(max(from, 0), len(people))
		most = min(int(page.PagingSize), mostInPage)
	}
	if m.SizeLimit > 0 {
		most = min(most, int(m.SizeLimit))
	}
	return slices.Clone(people[from:min(from+most, len(people))]), from, len(people), nil
}

// begin notes a search of a reader; it returns false when there are too many of
// theirs under way.
func (v *View) begin(who campus.PersonID) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.asks[who] >= mostAsks {
		return false
	}
	v.asks[who]++
	return true
}

// end is the end of a search that begin let through.
func (v *View) end(who campus.PersonID) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.asks[who]--; v.asks[who] == 0 {
		delete(v.asks, who)
	}
}

// mostInPage bounds one page, whatever the program asks for.
const mostInPage = 1000

func pagingOf(m *gldap.SearchMessage) *gldap.ControlPaging {
	for _, c := range m.Controls {
		if page, ok := c.(*gldap.ControlPaging); ok && page.PagingSize > 0 {
			return page
		}
	}
	return nil
}

// scope says who stands below the base of a search; found is false when nothing
// does.
func (v *View) scope(m *gldap.SearchMessage) (only func(find.Person) bool, found bool) {
	dn, err := ldap.ParseDN(m.BaseDN)
	if err != nil {
		return nil, false
	}
	people, _ := ldap.ParseDN("ou=people," + v.base.String())
	nobody, everybody := func(find.Person) bool { return false }, func(find.Person) bool { return true }
	switch {
	case dn.EqualFold(people):
		if m.Scope == gldap.BaseObject {
			return nobody, true
		}
		return everybody, true
	case dn.EqualFold(v.base):
		if m.Scope == gldap.WholeSubtree {
			return everybody, true
		}
		return nobody, true
	case len(dn.RDNs) > 0 && (&ldap.DN{RDNs: dn.RDNs[1:]}).EqualFold(people) && m.Scope != gldap.SingleLevel:
		id := dn.RDNs[0].Attributes[0].Value
		return func(p find.Person) bool { return string(p.ID) == id }, true
	default:
		return nil, false
	}
}

// entry is one person as an answer.
func (v *View) entry(r *gldap.Request, who campus.Viewer, p find.Person, m *gldap.SearchMessage) *gldap.SearchResponseEntry {
	e := r.NewSearchResponseEntry("uid=" + ldap.EscapeDN(string(p.ID)) + ",ou=people," + v.base.String())
	values := v.valuesOf(who, p)
	for _, a := range attributes {
		if !wanted(m.Attributes, a.name) {
			continue
		}
		if list, _ := values(strings.ToLower(a.name)); len(list) > 0 {
			if m.TypesOnly {
				list = nil
			}
			e.AddAttribute(a.name, list)
		}
	}
	return e
}

// wanted says whether a search asks for an attribute (RFC 4511 §4.5.1.8).
func wanted(list []string, name string) bool {
	if len(list) == 0 {
		return true
	}
	for _, asked := range list {
		if asked == "*" || strings.EqualFold(byName[strings.ToLower(asked)].name, name) {
			return true
		}
	}
	return false
}

// root is the root of the directory (RFC 4512 §5.1), which programs read first.
func (v *View) root(w *gldap.ResponseWriter, r *gldap.Request) {
	e := r.NewSearchResponseEntry("")
	e.AddAttribute("objectClass", []string{"top"})
	e.AddAttribute("namingContexts", []string{v.base.String()})
	e.AddAttribute("supportedLDAPVersion", []string{"3"})
	e.AddAttribute("supportedControl", []string{gldap.ControlTypePaging})
	e.AddAttribute("vendorName", []string{"Amphi"})
	v.write(w, e)
}
