package directory

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/edit"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/register"
)

// origins says which source says what, in the words of the pages.
type origins struct{ *register.Engine }

var _ edit.Sources = origins{}

// partsOf are the parts of an entry that a field of the sources makes.
var partsOf = map[mapping.Field][]string{
	mapping.FieldPhone: {entry.PartDesk}, mapping.FieldOffice: {entry.PartOffice}, mapping.FieldBuilding: {entry.PartBuilding},
	mapping.FieldFunctions: {entry.PartFunctions}, mapping.FieldListed: {entry.PartUnlisted}, contract.FieldFamilyName: {edit.PartName},
	contract.FieldGivenName: {edit.PartName}, contract.FieldMail: {edit.PartMail}, contract.FieldAffiliations: {edit.PartStudies, entry.PartCampus},
}

// OfPerson implements [edit.Sources].
func (o origins) OfPerson(ctx context.Context, who campus.PersonID) (map[string]edit.Origin, error) {
	said, err := o.Origins(ctx, who)
	if err != nil {
		return nil, err
	}
	found := map[string]edit.Origin{}
	for _, p := range said {
		for _, s := range p.Said {
			if !s.Wins {
				continue
			}
			for _, part := range partsOf[p.Field] {
				if _, there := found[part]; !there {
					found[part] = edit.Origin{Source: s.Source, Name: o.SourceName(ctx, s.Source), Since: s.Since}
				}
			}
		}
	}
	return found, nil
}

// SourceNamed implements [edit.Sources].
func (o origins) SourceNamed(ctx context.Context, source string) (string, bool) {
	for _, f := range o.Feeds {
		if f.Config.ID == source && !f.Config.Off {
			return o.SourceName(ctx, source), true
		}
	}
	return "", false
}
