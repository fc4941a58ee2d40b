package intake

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/modules/sso/samlidp/federation"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// Choice is one of the service providers of a document.
type Choice struct{ Entity, Name string }

// SeveralError: a document holds several service providers, and which one is meant
// was not said, or fits more than one or none of them.
type SeveralError struct {
	Document string
	Asked    string   // what was asked for; may be empty
	Choices  []Choice // those that fit; all of them when none does
	Fits     bool     // whether Choices fit what was asked for
}

// listed is how many choices a message names.
const listed = 40

// Error lists what is there.
func (e *SeveralError) Error() string {
	var b strings.Builder
	switch {
	case e.Asked == "":
		fmt.Fprintf(&b, "%s holds %d service providers: choose one with --entity", e.Document, len(e.Choices))
	case e.Fits:
		fmt.Fprintf(&b, "%d service providers of %s fit --entity %s", len(e.Choices), e.Document, e.Asked)
	default:
		fmt.Fprintf(&b, "%s holds no service provider %s, but", e.Document, e.Asked)
	}
	for _, c := range e.Choices[:min(len(e.Choices), listed)] {
		fmt.Fprintf(&b, "\n  %s  %s", c.Entity, c.Name)
	}
	if more := len(e.Choices) - listed; more > 0 {
		fmt.Fprintf(&b, "\n  and %d more: give a part of its entityID or name", more)
	}
	return b.String()
}

// proposal is a service provider of a document that may be meant.
type proposal struct {
	service registry.Service
	choice  Choice
}

// fits reports whether a part of the entityID or name was asked for.
func (p proposal) fits(part string) bool {
	return strings.Contains(campus.Fold(p.choice.Entity+" "+p.service.NameFrench+" "+p.service.NameEnglish), campus.Fold(part))
}

// readMetadata makes an entry of a service provider in a document of SAML metadata.
// Nobody signed for it: that an administrator gives it is the trust.
func readMetadata(name string, text []byte, entity string) (Found, error) {
	var all []proposal
	aggregate, err := saml.ReadMetadata(text, saml.Trust{}, func(e *saml.Entity) error {
		if e.SP != nil {
			s := federation.Propose(e)
			all = append(all, proposal{s, Choice{e.ID, s.Name(campus.English)}})
		}
		return nil
	})
	switch {
	case err != nil:
		return Found{}, fmt.Errorf("read the metadata of %s: %w", name, err)
	case len(all) == 0 && len(aggregate.Refused) > 0:
		return Found{}, fmt.Errorf("read the metadata of %s: %s: %w", name, aggregate.Refused[0].ID, aggregate.Refused[0].Err)
	case len(all) == 0:
		return Found{}, fmt.Errorf("%s holds no SAML 2.0 service provider (SPSSODescriptor)", name)
	}
	one, err := choose(name, all, entity)
	if err != nil {
		return Found{}, err
	}
	s := one.service
	s.ID = identifier(s.ID)
	if s.NameFrench == "" && s.NameEnglish == "" {
		s.NameFrench = s.ID
	}
	s.SAML.Metadata = string(bytes.TrimSpace(text))
	if len(all) > 1 {
		if s.SAML.Metadata, err = cutOut(text, one.choice.Entity); err != nil {
			return Found{}, fmt.Errorf("read the metadata of %s: %w", name, err)
		}
	}
	return Found{Services: []registry.Service{s}, OneOfMany: len(all) > 1}, nil
}

// choose finds the one that is meant.
func choose(name string, all []proposal, entity string) (proposal, error) {
	if i := slices.IndexFunc(all, func(p proposal) bool { return p.choice.Entity == entity }); i >= 0 {
		return all[i], nil
	}
	fitting := slices.DeleteFunc(slices.Clone(all), func(p proposal) bool { return !p.fits(entity) })
	if len(fitting) == 1 {
		return fitting[0], nil
	}
	several := &SeveralError{Document: name, Asked: entity, Fits: len(fitting) > 0}
	if !several.Fits {
		fitting = all
	}
	for _, p := range fitting {
		several.Choices = append(several.Choices, p.choice)
	}
	return proposal{}, several
}

// cutOut is the descriptor of one entity of a document that was read before, as a
// document of its own: with the namespaces that stand around it.
func cutOut(text []byte, entity string) (string, error) {
	d := xml.NewDecoder(bytes.NewReader(text))
	type scope struct{ name, uri string }
	var around [][]scope // of the elements that are open
	start, depth, head := int64(0), -1, 0
	for {
		before := d.InputOffset()
		token, err := d.RawToken()
		if err != nil {
			return "", fmt.Errorf("find %s: %w", entity, err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth < 0 && t.Name.Local == "EntityDescriptor" && slices.ContainsFunc(t.Attr, func(a xml.Attr) bool { return a.Name.Space == "" && a.Name.Local == "entityID" && a.Value == entity }) {
				start, depth = before, len(around)
				head = 1 + len(t.Name.Local)
				if t.Name.Space != "" {
					head += len(t.Name.Space) + 1
				}
			}
			var own []scope
			for _, a := range t.Attr {
				if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
					own = append(own, scope{strings.TrimPrefix(a.Name.Space+":"+a.Name.Local, ":"), a.Value})
				}
			}
			around = append(around, own)
		case xml.EndElement:
			if len(around)-1 != depth {
				around = around[:len(around)-1]
				continue
			}
			said := map[string]bool{}
			for _, own := range around[depth] {
				said[own.name] = true
			}
			var namespaces strings.Builder
			for _, outer := range slices.Backward(around[:depth]) {
				for _, s := range outer {
					if !said[s.name] {
						said[s.name] = true
						fmt.Fprintf(&namespaces, " %s=\"%s\"", s.name, inAttribute.Replace(s.uri))
					}
				}
			}
			element := string(text[start:d.InputOffset()])
			return element[:head] + namespaces.String() + element[head:], nil
		}
	}
}

var inAttribute = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;")
