package guide

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/emersion/go-vcard"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/modules/directory/unit"
)

// Card is somebody's entry as a vCard 4.0 (RFC 6350), of what the viewer may see. It
// has no photo: it has to fit into a QR code, and a photo may be withdrawn.
func (g *Guide) Card(ctx context.Context, v campus.Viewer, p find.Person) (vcard.Card, error) {
	tree, err := g.Find.Units(ctx)
	if err != nil {
		return nil, err
	}
	return g.cardOf(ctx, v, p, tree), nil
}

// card is the same as text.
func (g *Guide) card(ctx context.Context, v campus.Viewer, p find.Person, tree unit.Tree) (string, error) {
	var b bytes.Buffer
	if err := vcard.NewEncoder(&b).Encode(g.cardOf(ctx, v, p, tree)); err != nil {
		return "", fmt.Errorf("write a card: %w", err)
	}
	return b.String(), nil
}

func (g *Guide) cardOf(ctx context.Context, v campus.Viewer, p find.Person, tree unit.Tree) vcard.Card {
	c := vcard.Card{}
	c.SetValue(vcard.FieldVersion, "4.0")
	c.SetValue(vcard.FieldKind, string(vcard.KindIndividual))
	c.SetValue(vcard.FieldUID, "urn:uuid:"+string(p.ID))
	c.SetValue(vcard.FieldFormattedName, p.DisplayName())
	c.SetName(&vcard.Name{FamilyName: p.FamilyName, GivenName: p.GivenName})
	if p.Shows(v, entry.FieldFunctions) {
		if function := p.Function(localeOf(ctx)); function != "" {
			c.SetValue(vcard.FieldTitle, function)
		}
		if codes := p.Units(); len(codes) > 0 {
			c.SetValue(vcard.FieldOrganization, organisation(ctx, tree, codes[0]))
		}
	}
	if p.Mail != "" && p.Shows(v, entry.FieldMail) {
		c.Add(vcard.FieldEmail, &vcard.Field{Value: p.Mail, Params: vcard.Params{vcard.ParamType: {vcard.TypeWork}}})
	}
	for _, n := range p.Profile.Phones {
		field, kind := entry.FieldPhone, vcard.TypeVoice
		switch n.Kind {
		case entry.Mobile:
			field, kind = entry.FieldMobile, vcard.TypeCell
		case entry.Fax:
			kind = vcard.TypeFax
		}
		if p.Shows(v, field) {
			c.Add(vcard.FieldTelephone, &vcard.Field{Value: string(telURL(n.Number)), Params: vcard.Params{
				"VALUE": {"uri"}, vcard.ParamType: {vcard.TypeWork, kind},
			}})
		}
	}
	if office := g.office(ctx, p); office != "" && p.Shows(v, entry.FieldOffice) {
		c.AddAddress(&vcard.Address{Field: &vcard.Field{Params: vcard.Params{vcard.ParamType: {vcard.TypeWork}}}, ExtendedAddress: office})
	}
	c.SetValue(vcard.FieldURL, g.Base.JoinPath(personURL(p.ID)).String())
	return c
}

// organisation is the unit with those around it, the widest first, as ORG wants it:
// parted by semicolons, which names then must not hold (RFC 6350 §6.6.4).
func organisation(ctx context.Context, tree unit.Tree, code string) string {
	var names []string
	for _, u := range tree.Above(code) {
		names = append(names, u.Name(localeOf(ctx)))
	}
	names = append(names, unitName(ctx, tree, code))
	for i, name := range names {
		names[i] = strings.ReplaceAll(name, ";", ",")
	}
	return strings.Join(names, ";")
}
