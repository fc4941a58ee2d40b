package guide

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/byhand"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/stamp"
	"github.com/amphi-campus/amphi/internal/modules/directory/unit"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Holdings declares what entries and groups keep about people.
func (g *Guide) Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{
		contract.Held(ctx, "directory_entries", "directory.holding.entry").On(contract.PublicTask, contract.DataContact, contract.DataWork, contract.DataIdentity).
			Erased(contract.Delete("person_id"), contract.Clear("manager"), contract.Clear("replaced_by")),
		contract.Held(ctx, "directory_choices", "directory.holding.choice").On(contract.Consent, contract.DataIdentity, contract.DataUse).
			Mended("/directory/mine").Erased(contract.Delete("person_id")),
		contract.Held(ctx, "directory_photos", "directory.holding.picture").On(contract.PublicTask, contract.DataIdentity),
		contract.Held(ctx, "directory_stamps", "directory.holding.stamp", "duration", stamp.Kept).On(contract.PublicTask, contract.DataUse).
			Erased(contract.Keep("subject", i18n.T(ctx, "directory.holding.stamp.kept"))),
		contract.Held(ctx, "directory_units", "directory.holding.unit").On(contract.PublicTask, contract.DataWork).Of(contract.PeopleStaff, contract.PeopleTeachers).
			Erased(contract.Clear("head")),
		contract.Held(ctx, "directory_groups", "directory.holding.group").On(contract.PublicTask, contract.DataDecisions).Of(contract.PeopleAgents).
			Erased(contract.Clear("changed_by")),
		contract.Held(ctx, "directory_group_people", "directory.holding.member").On(contract.PublicTask, contract.DataStudies, contract.DataWork).
			Erased(contract.Delete("person_id")),
		contract.Held(ctx, "directory_group_due", "directory.holding.due").On(contract.PublicTask, contract.DataUse).Erased(contract.Delete("person_id")),
	}
}

// Erase deletes the photos of somebody with their entry, and makes every server
// forget them.
func (g *Guide) Erase(ctx context.Context, who contract.Traced) ([]contract.Erased, error) {
	err := g.DB.InTx(ctx, func(tx db.Tx) error {
		if err := g.Groups.Forget(ctx, tx, who.ID); err != nil {
			return err
		}
		if err := byhand.Drop(ctx, tx, byhand.Person, string(who.ID)); err != nil {
			return err
		}
		return entry.Drop(ctx, tx, who.ID)
	})
	return nil, err // the tables are told by their traces
}

// Export writes somebody's entry, what they chose, their groups, and the photo.
func (g *Guide) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	profiles, err := entry.Current(ctx, g.DB.Read(), []campus.PersonID{who})
	if err != nil {
		return err
	}
	chosen, err := entry.ChoicesOf(ctx, g.DB.Read(), who)
	if err != nil {
		return err
	}
	groups, err := g.Groups.GroupsOf(ctx, who)
	if err != nil {
		return err
	}
	memberships, err := g.Groups.Memberships(ctx, who)
	if err != nil {
		return err
	}
	tree, err := unit.All(ctx, g.DB.Read())
	if err != nil {
		return err
	}
	led := slices.DeleteFunc(slices.Clone(tree.Units()), func(u unit.Unit) bool { return u.Head != who })
	for _, file := range []struct {
		name    string
		content any
	}{{"entry.json", profiles[who]}, {"choices.json", chosen}, {"groups.json", groups}, {"memberships.json", memberships}, {"units-led.json", led}} {
		if err := a.JSON(file.name, file.content); err != nil {
			return err
		}
	}
	for name, ref := range map[string]files.Ref{"photo": chosen.Photo, "photo-of-the-institution": profiles[who].Photo} {
		if err := g.exportPhoto(ctx, a, name, ref); err != nil {
			return err
		}
	}
	return nil
}

func (g *Guide) exportPhoto(ctx context.Context, a *contract.Archive, name string, ref files.Ref) (err error) {
	if ref == "" {
		return nil
	}
	photo, meta, err := g.Files.Open(ctx, ref)
	if errors.Is(err, files.NotFound) {
		return nil // withdrawn meanwhile
	}
	if err != nil {
		return fmt.Errorf("export a photo: %w", err)
	}
	defer func() { err = errors.Join(err, photo.Close()) }()
	ending := ".jpg"
	if meta.MediaType == "image/png" {
		ending = ".png"
	}
	into, err := a.Create(name + ending)
	if err != nil {
		return fmt.Errorf("export a photo: %w", err)
	}
	if _, err := io.Copy(into, photo); err != nil {
		return fmt.Errorf("export a photo: %w", err)
	}
	return nil
}
