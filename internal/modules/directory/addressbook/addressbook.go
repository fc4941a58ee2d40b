// Package addressbook is the directory among the contacts of a telephone or a mail
// program: CardDAV (RFC 6352), read only, each person with their own eyes and an
// application password.
package addressbook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-vcard"
	"github.com/emersion/go-webdav"
	"github.com/emersion/go-webdav/carddav"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// People finds whom a viewer sees; *find.Finder is one.
type People interface {
	Those(ctx context.Context, v campus.Viewer, condition func(find.Person) bool) ([]find.Person, error)
	Some(ctx context.Context, v campus.Viewer, ids []campus.PersonID) ([]find.Person, error)
}

// Books is the alcove.
type Books struct {
	People People
	Apps   contract.AppPasswords
	// Card is somebody's entry as a vCard, of what the viewer may see.
	Card func(ctx context.Context, v campus.Viewer, p find.Person) (vcard.Card, error)
	// Most is how many people one address book holds.
	Most int

	answers chan struct{} // programs that are answered now
}

// answersAtOnce is how many programs are answered at a time, each of which may hold
// the whole book in memory; patience is how long the next one waits.
const answersAtOnce = 4

var patience = 20 * time.Second

// prefix is where the address books are.
const prefix = "/dav"

// Routes lists the addresses of the alcove. They are open to strangers as far as the
// house goes: the password of the program is asked for here.
func (b *Books) Routes(r *web.Router) {
	b.answers = make(chan struct{}, answersAtOnce)
	r.Handle("GET /.well-known/carddav", b.serve, web.Public)
	r.Handle("PROPFIND /.well-known/carddav", b.serve, web.Public)
	r.Handle("OPTIONS /dav/", b.serve, web.Public)
	r.Handle("GET /dav/", b.serve, web.Public)
	r.Handle("PROPFIND /dav/", b.serve, web.Public)
	r.Handle("REPORT /dav/", b.serve, web.Public)
	r.Handle("PROPPATCH /dav/", b.serve, web.Public)
	r.Handle("PUT /dav/", b.serve, web.Public)
	r.Handle("DELETE /dav/", b.serve, web.Public)
	r.Handle("MKCOL /dav/", b.serve, web.Public)
}

// serve asks for the application password and answers in the person's name.
func (b *Books) serve(w http.ResponseWriter, r *http.Request) error {
	if strings.HasPrefix(r.URL.Path, "/.well-known/") { // RFC 6764 §5: before any password
		http.Redirect(w, r, prefix+"/", http.StatusTemporaryRedirect) // keeps the method
		return nil
	}
	viewer, err := b.enter(r)
	if err != nil {
		return refuse(w, r, err)
	}
	wait, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	select {
	case b.answers <- struct{}{}:
		defer func() { <-b.answers }()
	case <-wait.Done():
		web.RetryAfter(w, patience)
		return say(w, http.StatusServiceUnavailable, i18n.T(r.Context(), "directory.addressbook.busy"))
	}
	handler := carddav.Handler{Backend: &backend{books: b, viewer: viewer}, Prefix: prefix}
	handler.ServeHTTP(w, r)
	return nil
}

// asked is the fault of a program that has not sent a password yet.
var asked = errors.New("no application password was sent")

func (b *Books) enter(r *http.Request) (campus.Viewer, error) {
	login, password, ok := r.BasicAuth()
	if !ok {
		return campus.Viewer{}, asked
	}
	address := web.ClientAddr(r)
	if !address.IsValid() {
		address = netip.IPv4Unspecified()
	}
	return b.Apps.ByAppPassword(r.Context(), login, password, contract.AppContacts, address)
}

// refuse answers a program in the way that it understands, with a sentence for who
// reads its log. What is no fault of ours travels up.
func refuse(w http.ResponseWriter, r *http.Request, err error) error {
	status, text := http.StatusUnauthorized, i18n.T(r.Context(), "directory.addressbook.password")
	if !errors.Is(err, asked) {
		f := web.Explain(r.Context(), fault.Of(err))
		if f.Status >= http.StatusInternalServerError && f.Status != http.StatusServiceUnavailable {
			return err
		}
		status, text = f.Status, strings.TrimSpace(f.Message+" "+f.Next+" ("+f.Code+")")
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="Amphi", charset="UTF-8"`)
	}
	return say(w, status, text)
}

// say answers with a sentence, for who reads the program's log.
func say(w http.ResponseWriter, status int, text string) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, err := fmt.Fprintln(w, text)
	return err
}

// backend answers one program, in the name of a person.
type backend struct {
	books  *Books
	viewer campus.Viewer
}

var _ carddav.Backend = (*backend)(nil)

// The places of a person: their principal, their home, and the book of colleagues.
func (b *backend) principal() string  { return prefix + "/" + string(b.viewer.Person) + "/" }
func (b *backend) home() string       { return b.principal() + "contacts/" }
func (b *backend) colleagues() string { return b.home() + "directory/" }

// CurrentUserPrincipal implements webdav.UserPrincipalBackend.
func (b *backend) CurrentUserPrincipal(context.Context) (string, error) { return b.principal(), nil }

// AddressBookHomeSetPath implements carddav.Backend.
func (b *backend) AddressBookHomeSetPath(context.Context) (string, error) { return b.home(), nil }

// ListAddressBooks implements carddav.Backend.
func (b *backend) ListAddressBooks(ctx context.Context) ([]carddav.AddressBook, error) {
	return []carddav.AddressBook{{
		Path: b.colleagues(), Name: i18n.T(ctx, "directory.addressbook.name"), Description: i18n.T(ctx, "directory.addressbook.about"),
		SupportedAddressData: []carddav.AddressDataType{{ContentType: vcard.MIMEType, Version: "3.0"}},
	}}, nil
}

// GetAddressBook implements carddav.Backend.
func (b *backend) GetAddressBook(ctx context.Context, at string) (*carddav.AddressBook, error) {
	if path.Clean(at)+"/" != b.colleagues() {
		return nil, nothing
	}
	books, err := b.ListAddressBooks(ctx)
	if err != nil {
		return nil, err
	}
	return &books[0], nil
}

// nothing is the answer for what is not there, or is somebody else's.
var nothing = webdav.NewHTTPError(http.StatusNotFound, errors.New("there is nothing here"))

// readOnly is the answer for who wants to change something.
var readOnly = webdav.NewHTTPError(http.StatusForbidden, errors.New("the directory is read only: ask for a correction on the page of the person"))

// tooMuch is the answer for a filter that compares more than anybody looks for.
var tooMuch = webdav.NewHTTPError(http.StatusForbidden, errors.New("the filter makes too many comparisons"))

// GetAddressObject implements carddav.Backend.
func (b *backend) GetAddressObject(ctx context.Context, at string, _ *carddav.AddressDataRequest) (*carddav.AddressObject, error) {
	id, ok := strings.CutSuffix(path.Base(at), ".vcf")
	if !ok || path.Dir(at)+"/" != b.colleagues() {
		return nil, nothing
	}
	people, err := b.books.People.Some(ctx, b.viewer, []campus.PersonID{campus.PersonID(id)})
	if err != nil {
		return nil, err
	}
	if len(people) == 0 || !belongs(people[0]) {
		return nil, nothing
	}
	return b.object(ctx, people[0])
}

// belongs says who is in the book: those who work here. Students are looked for in
// the directory; thousands of them are no contacts.
func belongs(p find.Person) bool { return p.Works() }

// ListAddressObjects implements carddav.Backend.
func (b *backend) ListAddressObjects(ctx context.Context, at string, _ *carddav.AddressDataRequest) ([]carddav.AddressObject, error) {
	if path.Clean(at)+"/" != b.colleagues() {
		return nil, nothing
	}
	people, err := b.books.People.Those(ctx, b.viewer, belongs)
	if err != nil {
		return nil, err
	}
	objects := make([]carddav.AddressObject, 0, min(len(people), b.books.Most))
	for _, p := range people[:min(len(people), b.books.Most)] {
		o, err := b.object(ctx, p)
		if err != nil {
			return nil, err
		}
		objects = append(objects, *o)
	}
	return objects, nil
}

// QueryAddressObjects implements carddav.Backend.
func (b *backend) QueryAddressObjects(ctx context.Context, at string, q *carddav.AddressBookQuery) ([]carddav.AddressObject, error) {
	if comparisons(q) > mostComparisons {
		return nil, tooMuch
	}
	all, err := b.ListAddressObjects(ctx, at, &q.DataRequest)
	if err != nil {
		return nil, err
	}
	found := slices.DeleteFunc(all, func(o carddav.AddressObject) bool { return !matches(q, o.Card) })
	if q.Limit > 0 {
		found = found[:min(q.Limit, len(found))]
	}
	return found, nil
}

// object is somebody's card, and what it is recognised by until it changes.
func (b *backend) object(ctx context.Context, p find.Person) (*carddav.AddressObject, error) {
	card, err := b.books.Card(ctx, b.viewer, p)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	card = third(card)
	if err := vcard.NewEncoder(&text).Encode(card); err != nil {
		return nil, fmt.Errorf("write the card of %s: %w", p.ID, err)
	}
	sum := sha256.Sum256([]byte(text.String()))
	return &carddav.AddressObject{
		Path: b.colleagues() + string(p.ID) + ".vcf", ETag: hex.EncodeToString(sum[:12]), ContentLength: int64(text.Len()), Card: card,
	}, nil
}

// third is a card in the version that every CardDAV client reads (RFC 6352 §5.1;
// RFC 2426): what version 4 writes as addresses of telephones are numbers there.
func third(card vcard.Card) vcard.Card {
	card.SetValue(vcard.FieldVersion, "3.0")
	delete(card, vcard.FieldKind)
	if uid := card.Get(vcard.FieldUID); uid != nil {
		uid.Value = strings.TrimPrefix(uid.Value, "urn:uuid:")
	}
	for _, phone := range card[vcard.FieldTelephone] {
		phone.Value = strings.TrimPrefix(phone.Value, "tel:")
		delete(phone.Params, "VALUE")
	}
	return card
}

// CreateAddressBook implements carddav.Backend.
func (b *backend) CreateAddressBook(context.Context, *carddav.AddressBook) error { return readOnly }

// DeleteAddressBook implements carddav.Backend.
func (b *backend) DeleteAddressBook(context.Context, string) error { return readOnly }

// PutAddressObject implements carddav.Backend.
func (b *backend) PutAddressObject(context.Context, string, vcard.Card, *carddav.PutAddressObjectOptions) (*carddav.AddressObject, error) {
	return nil, readOnly
}

// DeleteAddressObject implements carddav.Backend.
func (b *backend) DeleteAddressObject(context.Context, string) error { return readOnly }
