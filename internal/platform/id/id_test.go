package id_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/amphi-campus/amphi/internal/platform/id"
)

func TestIdentifiersOfThePastStandInTheOrderOfTime(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	list := []string{id.At(time.Time{}), id.At(now.Add(-20 * 365 * 24 * time.Hour)), id.At(now), id.At(now.Add(time.Microsecond)), id.At(now.Add(time.Millisecond)), id.At(now.Add(24 * time.Hour))}
	if !slices.IsSorted(list) {
		t.Errorf("they are not sorted: %q", list)
	}
	for _, one := range list {
		if u, err := uuid.Parse(one); err != nil || u.Version() != 7 || u.Variant() != uuid.RFC4122 {
			t.Errorf("%s is no UUIDv7", one)
		}
	}
	if id.At(now) == id.At(now) {
		t.Error("two of one instant are the same")
	}
	if made := id.New(); made < id.At(time.Now().Add(-time.Minute)) || made > id.At(time.Now().Add(time.Minute)) {
		t.Errorf("%s, made now, does not stand among those of now", made)
	}
}
