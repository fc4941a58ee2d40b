package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	toml "github.com/pelletier/go-toml/v2"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso"
	"github.com/amphi-campus/amphi/internal/modules/sso/intake"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/modules/sso/simulator"
	"github.com/amphi-campus/amphi/internal/modules/sso/walk"
	"github.com/amphi-campus/amphi/internal/platform/config"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// serviceCommand keeps the registry of services from a terminal. It works on the
// database directly, also while the workspace runs, which sees a change within
// seconds.
type serviceCommand struct {
	Add    serviceAddCommand    `cmd:"" help:"Add a service from flags, or services from a file (TOML)."`
	List   serviceListCommand   `cmd:"" help:"List the services, also those of the configuration."`
	Show   serviceShowCommand   `cmd:"" help:"Show one service, and what its team has to set."`
	Import serviceImportCommand `cmd:"" help:"Make an entry of SAML metadata or of an OpenID Connect client's registration."`
	Test   serviceTestCommand   `cmd:"" help:"Walk the conditions of a sign-in without a browser, and show both sides."`
	Secret serviceSecretCommand `cmd:"" help:"Make a new secret for an OpenID Connect client. It is shown once."`
	Close  serviceCloseCommand  `cmd:"" help:"Refuse to sign in to a service, and keep its entry."`
	Open   serviceOpenCommand   `cmd:"" help:"Open a closed service again."`
	Remove serviceRemoveCommand `cmd:"" help:"Remove a service from the registry."`
	Keys   serviceKeysCommand   `cmd:"" help:"The keys that sign what services are told."`
}

// operator is who changes the registry at the terminal of the server.
var operator = campus.Viewer{Rights: []campus.Right{campus.RightAdmin}}

// withServices runs fn with the sso room, in English.
func (c configured) withServices(t *terminal, fn func(ctx context.Context, m *sso.Module, x *registry.Index) error) error {
	return c.withHouse(t, string(campus.English), func(ctx context.Context, h *House) error {
		x, err := h.sso.Registry(ctx)
		if err != nil {
			return err
		}
		return fn(ctx, h.sso, x)
	})
}

// withService runs fn with one service.
func (c configured) withService(t *terminal, id string, fn func(ctx context.Context, m *sso.Module, s registry.Service) error) error {
	return c.withServices(t, func(ctx context.Context, m *sso.Module, x *registry.Index) error {
		s := x.Get(id)
		if s == nil {
			return sso.ServiceMissing
		}
		return fn(ctx, m, *s)
	})
}

// serviceFlags are the usual keys of an entry, a flag for each, and --set for all
// the others.
type serviceFlags struct {
	ID           string        `help:"Identifier, such as wiki. Short and stable." placeholder:"ID"`
	NameFr       string        `help:"Name in French." placeholder:"TEXT"`
	NameEn       string        `help:"Name in English." placeholder:"TEXT"`
	Protocol     string        `help:"cas, saml, oidc or link; without it, what the other flags allow." placeholder:"NAME"`
	Home         string        `help:"Where the catalogue leads." placeholder:"URL"`
	Pattern      []string      `help:"CAS: address that may receive tickets. May be repeated." placeholder:"PATTERN"`
	EntityID     string        `name:"entity-id" help:"SAML: entityID of the service provider." placeholder:"URI"`
	MetadataURL  string        `name:"metadata-url" help:"SAML: where its metadata is fetched." placeholder:"URL"`
	ClientID     string        `name:"client-id" help:"OpenID Connect: identifier of the client; the service's own when empty." placeholder:"ID"`
	RedirectURI  []string      `name:"redirect-uri" help:"OpenID Connect: address that may receive codes. May be repeated." placeholder:"URL"`
	Public       bool          `help:"OpenID Connect: a client without a secret, such as an application on a phone."`
	Attribute    []string      `help:"Released besides the identifier, such as mail. May be repeated." placeholder:"NAME"`
	Required     []string      `help:"Attribute without which the service cannot work. May be repeated." placeholder:"NAME"`
	ReasonFr     string        `help:"Why the service is told this, in French." placeholder:"TEXT"`
	ReasonEn     string        `help:"The same in English." placeholder:"TEXT"`
	Kind         []string      `help:"Who may enter: student, teacher, staff, guest. May be repeated; without it everybody." placeholder:"KIND"`
	Owner        string        `help:"The office or person that answers for the service." placeholder:"TEXT"`
	Contact      string        `help:"Mail address of who repairs it." placeholder:"MAIL"`
	Category     string        `help:"Group of the catalogue." placeholder:"TEXT"`
	Consent      bool          `help:"Ask people before their data goes to the service."`
	Factor       string        `help:"session or fresh: a second factor in this session, or of the last minutes." placeholder:"LEVEL"`
	SessionLimit time.Duration `help:"Oldest sign-in that opens the service, such as 8h." placeholder:"TIME"`
	Set          []string      `help:"Any other key of an entry as a file has it, such as saml.name_id_from=uid; the values of a list have commas between. May be repeated." placeholder:"KEY=VALUE" sep:"none"`
}

// onto puts what the flags give into an entry, and leaves the rest as it is.
func (f serviceFlags) onto(s *registry.Service) error {
	for _, given := range f.Set {
		key, value, ok := strings.Cut(given, "=")
		if !ok {
			return fmt.Errorf("read --set %s: write KEY=VALUE, such as saml.name_id_from=uid", given)
		}
		if err := s.Set(strings.TrimSpace(key), value); err != nil {
			return err
		}
	}
	f.over(s)
	return nil
}

// over puts what flags of their own give into an entry.
func (f serviceFlags) over(s *registry.Service) {
	text := func(to *string, given string) {
		if given != "" {
			*to = given
		}
	}
	text(&s.ID, f.ID)
	text(&s.NameFrench, f.NameFr)
	text(&s.NameEnglish, f.NameEn)
	text(&s.Home, f.Home)
	text(&s.ReasonFrench, f.ReasonFr)
	text(&s.ReasonEnglish, f.ReasonEn)
	text(&s.Owner, f.Owner)
	text(&s.Contact, f.Contact)
	text(&s.Category, f.Category)
	text(&s.SAML.EntityID, f.EntityID)
	text(&s.SAML.MetadataURL, f.MetadataURL)
	text(&s.OIDC.ClientID, f.ClientID)
	text((*string)(&s.Protocol), f.Protocol)
	text((*string)(&s.Factor), f.Factor)
	list(&s.Patterns, f.Pattern)
	list(&s.OIDC.RedirectURIs, f.RedirectURI)
	list(&s.Attributes, f.Attribute)
	list(&s.Required, f.Required)
	list(&s.Audience.Kinds, f.Kind)
	s.Consent = s.Consent || f.Consent
	if f.SessionLimit != 0 {
		s.SessionLimit = f.SessionLimit
	}
	if f.Public {
		s.OIDC.AuthMethod, s.OIDC.SecretHash = registry.AuthPublic, ""
	}
	if s.Protocol != "" {
		return
	}
	switch {
	case s.SAML.EntityID != "" || s.SAML.MetadataURL != "":
		s.Protocol = registry.SAML
	case len(s.OIDC.RedirectURIs) > 0 || s.OIDC.ClientID != "":
		s.Protocol = registry.OIDC
	case len(s.Patterns) > 0:
		s.Protocol = registry.CAS
	default:
		s.Protocol = registry.Link
	}
}

func list[T ~string](to *[]T, given []string) {
	if len(given) == 0 {
		return
	}
	*to = make([]T, len(given))
	for i, text := range given {
		(*to)[i] = T(text)
	}
}

type serviceAddCommand struct {
	configured
	serviceFlags
	File    string `arg:"" optional:"" help:"File of services (TOML, [[services]]); - for standard input." placeholder:"FILE"`
	Replace bool   `help:"Put the services in place of entries that have their identifiers."`
	Check   bool   `help:"Only tell what would be added."`
}

func (c serviceAddCommand) Run(t *terminal) error {
	found := intake.Found{}
	if c.File != "" {
		name, text, err := readSource(c.File)
		if err != nil {
			return err
		}
		if found, err = intake.Read(name, text, ""); err != nil {
			return err
		}
	} else {
		found.Services = []registry.Service{{}}
	}
	return c.put(t, found, c.serviceFlags, c.Replace, c.Check)
}

type serviceImportCommand struct {
	configured
	serviceFlags
	Source  string `arg:"" help:"Address or file of SAML metadata (XML), or of a client's registration (JSON); - for standard input."`
	Entity  string `help:"Which one, where the metadata holds several, such as a federation's: its entityID, or a part of it or of its name." placeholder:"URI"`
	Replace bool   `help:"Put it in place of the entry that has its identifier."`
	Check   bool   `help:"Only show what would be added."`
}

func (c serviceImportCommand) Run(t *terminal) (err error) {
	var found intake.Found
	if strings.Contains(c.Source, "://") {
		found, err = intake.Fetch(t, &http.Client{}, c.Source, c.Entity, intake.Most)
	} else {
		name, text, readErr := readSource(c.Source)
		if readErr != nil {
			return readErr
		}
		found, err = intake.Read(name, text, c.Entity)
	}
	if err != nil {
		return err
	}
	if found.OneOfMany {
		t.say("# One of several in %s: what it publishes is kept as it is today. To follow its changes, subscribe to the federation ([[sso.saml.federations]]).", c.Source)
	}
	return c.put(t, found, c.serviceFlags, c.Replace, c.Check)
}

// readSource reads a file, or standard input for "-". What is too large to be read is
// cut, and refused by who reads it.
func readSource(file string) (name string, text []byte, err error) {
	if file == "-" {
		text, err = io.ReadAll(io.LimitReader(os.Stdin, intake.Most+1))
		return "standard input", text, err
	}
	f, err := os.Open(file)
	if err != nil {
		return file, nil, err
	}
	defer f.Close() // read only
	text, err = io.ReadAll(io.LimitReader(f, intake.Most+1))
	return file, text, err
}

// put completes what was found by the flags, checks it and writes it. A client
// that needs a secret gets one, which is shown this once.
func (c configured) put(t *terminal, found intake.Found, flags serviceFlags, replace, check bool) error {
	if len(found.Services) == 1 {
		s := &found.Services[0]
		before := s.ID
		if err := flags.onto(s); err != nil {
			return err
		}
		if secret, ok := found.Secrets[before]; ok && s.ID != before {
			delete(found.Secrets, before)
			found.Secrets[s.ID] = secret
		}
		if s.Protocol == registry.OIDC && s.OIDC.ClientID == "" {
			s.OIDC.ClientID = s.ID
		}
		if s.Protocol == registry.OIDC && s.OIDC.Public() && s.OIDC.AuthMethod != registry.AuthPublic {
			secret, hash := intake.NewSecret()
			s.OIDC.SecretHash = hash
			found.Secrets = map[string]string{s.ID: secret}
		}
	}
	if problems := registry.CheckAll("services", found.Services); len(problems) > 0 {
		return &config.Error{File: "the registry", Problems: problems}
	}
	if check {
		if err := registry.WriteFile(t.out, found.Services); err != nil {
			return err
		}
		t.say("# Nothing was changed. %d would be added or replaced.", len(found.Services))
		return nil
	}
	return c.withServices(t, func(ctx context.Context, m *sso.Module, _ *registry.Index) error {
		added, replaced, err := m.PutServices(ctx, operator, found.Services, replace)
		if added+replaced > 0 || err == nil {
			t.say("%d added, %d replaced.", added, replaced)
		}
		if err != nil {
			return err
		}
		for _, s := range found.Services {
			if secret, ok := found.Secrets[s.ID]; ok {
				t.say("%s: client_secret %s", s.ID, secret)
				t.say("It is shown this once: the registry keeps its SHA-256 alone.")
			}
		}
		if len(found.Services) == 1 {
			saySettings(ctx, t, m, found.Services[0])
		}
		return nil
	})
}

// saySettings tells what the team of a service has to set.
func saySettings(ctx context.Context, t *terminal, m *sso.Module, s registry.Service) {
	for _, setting := range walk.Settings(&s, m.BaseURL) {
		t.say("  %-34s %s", i18n.T(ctx, "sso.walk.setting."+setting.Key), setting.Value)
	}
}

type serviceListCommand struct {
	configured
	Words  []string `arg:"" optional:"" help:"Only the services that have these words in their name, address or contact."`
	Format string   `default:"table" enum:"table,json,toml" help:"table, json or toml. What toml prints, add reads."`
}

func (c serviceListCommand) Run(t *terminal) error {
	return c.withServices(t, func(_ context.Context, _ *sso.Module, x *registry.Index) error {
		services := deref(x.Search(strings.Join(c.Words, " ")))
		if c.Format != "table" {
			return printServices(t, services, c.Format)
		}
		for _, s := range services {
			state := "open"
			if s.Disabled {
				state = "closed"
			}
			where := ""
			if s.FromConfiguration {
				where = " (configuration)"
			}
			t.say("%-24s %-5s %-7s %s%s", s.ID, s.Protocol, state, s.Name(campus.English), where)
		}
		return nil
	})
}

func deref(found []*registry.Service) []registry.Service {
	services := make([]registry.Service, len(found))
	for i, s := range found {
		services[i] = *s
	}
	return services
}

// printServices writes services for programs: as the file that add reads, or the
// same as JSON.
func printServices(t *terminal, services []registry.Service, format string) error {
	if format == "toml" {
		return registry.WriteFile(t.out, services)
	}
	var text strings.Builder
	if err := registry.WriteFile(&text, services); err != nil {
		return err
	}
	document := map[string]any{"services": []any{}}
	if err := toml.Unmarshal([]byte(text.String()), &document); err != nil {
		return fmt.Errorf("write the services: %w", err)
	}
	encoder := json.NewEncoder(t.out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document)
}

type serviceShowCommand struct {
	configured
	ID     string `arg:"" help:"Identifier of the service."`
	Format string `default:"toml" enum:"toml,json" help:"toml or json"`
}

func (c serviceShowCommand) Run(t *terminal) error {
	return c.withService(t, c.ID, func(ctx context.Context, m *sso.Module, s registry.Service) error {
		if err := printServices(t, []registry.Service{s}, c.Format); err != nil || c.Format == "json" {
			return err
		}
		for _, setting := range walk.Settings(&s, m.BaseURL) {
			t.say("# %s: %s", i18n.T(ctx, "sso.walk.setting."+setting.Key), setting.Value)
		}
		return nil
	})
}

type serviceSecretCommand struct {
	configured
	ID   string `arg:"" help:"Identifier of the service."`
	Ends string `help:"Day on which it is to be renewed, such as 2027-09-01." placeholder:"DAY"`
}

func (c serviceSecretCommand) Run(t *terminal) error {
	return c.withService(t, c.ID, func(ctx context.Context, m *sso.Module, s registry.Service) error {
		if s.Protocol != registry.OIDC {
			return fmt.Errorf("%s signs people in by %s, which has no secret", s.ID, s.Protocol)
		}
		secret, hash := intake.NewSecret()
		s.OIDC.SecretHash, s.SecretEnds = hash, c.Ends
		if problems := registry.CheckAll("services", []registry.Service{s}); len(problems) > 0 {
			return &config.Error{File: "the registry", Problems: problems}
		}
		if err := m.EditService(ctx, operator, s); err != nil {
			return err
		}
		t.say("client_id      %s\nclient_secret  %s", s.OIDC.ClientID, secret)
		t.say("It is shown this once, and the one before is not taken any more.")
		return nil
	})
}

type serviceCloseCommand struct {
	configured
	ID string `arg:"" help:"Identifier of the service."`
}

func (c serviceCloseCommand) Run(t *terminal) error {
	return c.withService(t, c.ID, func(ctx context.Context, m *sso.Module, s registry.Service) error {
		if err := m.DisableService(ctx, operator, s.ID, true); err != nil {
			return err
		}
		t.say("%s is closed.", s.ID)
		return nil
	})
}

type serviceOpenCommand struct {
	configured
	ID string `arg:"" help:"Identifier of the service."`
}

func (c serviceOpenCommand) Run(t *terminal) error {
	return c.withService(t, c.ID, func(ctx context.Context, m *sso.Module, s registry.Service) error {
		if err := m.DisableService(ctx, operator, s.ID, false); err != nil {
			return err
		}
		t.say("%s is open.", s.ID)
		return nil
	})
}

type serviceRemoveCommand struct {
	configured
	ID string `arg:"" help:"Identifier of the service."`
}

func (c serviceRemoveCommand) Run(t *terminal) error {
	return c.withService(t, c.ID, func(ctx context.Context, m *sso.Module, s registry.Service) error {
		if err := m.DeleteService(ctx, operator, s.ID); err != nil {
			return err
		}
		t.say("%s is removed.", s.ID)
		return nil
	})
}

type serviceTestCommand struct {
	configured
	ID      string `arg:"" help:"Identifier of the service."`
	As      string `help:"Also say what this person would meet." placeholder:"LOGIN"`
	From    string `default:"198.51.100.7" help:"Network address that they come from; one of nobody's when not given." placeholder:"ADDRESS"`
	Offline bool   `help:"Do not ask the service's addresses for an answer."`
}

// errServiceTest: the test found something to mend.
var errServiceTest = errors.New("the test found something to mend")

func (c serviceTestCommand) Run(t *terminal) error {
	from, err := netip.ParseAddr(c.From)
	if err != nil {
		return fmt.Errorf("read --from: %w", err)
	}
	return c.withService(t, c.ID, func(ctx context.Context, m *sso.Module, s registry.Service) error {
		wrong := false
		t.say("What %s has to be set to:", s.Name(campus.English))
		saySettings(ctx, t, m, s)
		t.say("\nIts entry:")
		mistakes := s.Check()
		for _, mistake := range mistakes {
			wrong = true
			t.say("  wrong  %s: %s", mistake.Field, mistake.Text)
		}
		if len(mistakes) == 0 {
			t.say("  right")
		}
		if !c.Offline {
			wrong = c.sayReached(ctx, t, &s) || wrong
		}
		health, err := m.ServiceHealth(ctx, s.ID)
		if err != nil {
			return err
		}
		t.say("\nIn the last 24 hours: we gave %d answers; it took %d, showed %d wrongly and left %d.", health.Issued, health.Redeemed, health.Refused, health.Ignored)
		wrong = wrong || health.Refused+health.Ignored > 0
		if c.As != "" {
			stops, err := sayForeseen(ctx, t, m, &s, c.As, from)
			if err != nil {
				return err
			}
			wrong = wrong || stops
		}
		if wrong {
			return errServiceTest
		}
		return nil
	})
}

// sayReached asks the addresses of the service. Only a certificate that is refused
// is surely wrong: many services answer people and not servers.
func (c serviceTestCommand) sayReached(ctx context.Context, t *terminal, s *registry.Service) (wrong bool) {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.say("\nIts side, from this server:")
	reached := walk.Reach(ctx, client, s)
	for _, r := range reached {
		switch {
		case r.Problem != "":
			wrong = true
			t.say("  no answer  %s: %s", r.Address, r.Problem)
		case !r.CertificateEnds.IsZero():
			t.say("  %-9s  %s (certificate until %s)", r.Status, r.Address, r.CertificateEnds.Format(time.DateOnly))
		default:
			t.say("  %-9s  %s", r.Status, r.Address)
		}
	}
	if len(reached) == 0 {
		t.say("  its entry names no address without a wildcard")
	}
	return wrong
}

// sayForeseen walks the conditions that a person would meet.
func sayForeseen(ctx context.Context, t *terminal, m *sso.Module, s *registry.Service, login string, from netip.Addr) (stops bool, err error) {
	who, err := m.Foresight.Somebody(ctx, login)
	if err != nil {
		return false, err
	}
	now := m.Clock.Now()
	who.SignedInAt = now
	met, err := m.Foresee(ctx, simulator.Case{Viewer: who, Service: s, Address: from, At: now, KnownBrowser: true})
	if err != nil {
		return false, err
	}
	t.say("\n%s would meet:", who.DisplayName())
	for _, condition := range met {
		t.say("  %-7s %s: %s %s", condition.Outcome, condition.Name, condition.Message, condition.Next)
		stops = stops || condition.Outcome == "stops"
	}
	return stops, nil
}
