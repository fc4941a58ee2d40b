package sso

import (
	"context"
	"errors"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
)

// blocked are people whose account may not be used.
type blocked struct {
	fakePeople
	why error
}

func (b blocked) Viewer(context.Context, campus.PersonID) (campus.Viewer, error) {
	return campus.Viewer{}, b.why
}

func TestAServiceWithoutABrowserIsToldWhoMayNotEnter(t *testing.T) {
	h := one(t)
	x, err := h.module.services(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx := h.context(campus.English)
	library, closed := x.Get("library"), x.Get("closed")
	if err := h.module.Admit(ctx, library, campustest.Lina().Person); err != nil {
		t.Errorf("a student: %v", err)
	}
	if err := h.module.Admit(ctx, library, campustest.Paul().Person); !errors.Is(err, NotInAudience) {
		t.Errorf("a teacher: %v", err)
	}
	if err := h.module.Admit(ctx, closed, campustest.Lina().Person); !errors.Is(err, ServiceDisabled) {
		t.Errorf("a closed service: %v", err)
	}
	h.module.People = blocked{why: AdministratorsOnly}
	if err := h.module.Admit(ctx, library, campustest.Lina().Person); !errors.Is(err, AdministratorsOnly) {
		t.Errorf("a suspended account: %v", err)
	}
	h.module.People = blocked{why: errors.New("the database does not answer")}
	if err := h.module.Admit(ctx, library, campustest.Lina().Person); !errors.Is(err, AttributesUnavailable) {
		t.Errorf("a database that does not answer is nobody’s refusal: %v", err)
	}
}
