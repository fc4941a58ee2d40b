package catalogue

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/portal/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Why a service cannot be opened or pinned.
var (
	// Missing: no service has this name, or it is not for the viewer; the two are
	// not told apart.
	Missing = fault.Declare(fault.NotFound, "portal.service_missing")
	// Unopenable: the service's registered address cannot be opened.
	Unopenable = fault.Declare(fault.Broken, "portal.service_unopenable")
	// TooManyPins: somebody pins more than a person can look through.
	TooManyPins = fault.Declare(fault.Conflict, "portal.too_many_pins")
)

// MaxPins is how many services somebody can pin.
const MaxPins = 24

// Shelf keeps what people pinned and opened.
type Shelf struct{ DB *db.DB }

// Arrange puts onto each service what one person did with it.
func (s Shelf) Arrange(ctx context.Context, who campus.PersonID, services []contract.Service) ([]Entry, error) {
	rows, err := sqlgen.New(s.DB.Read()).Shelf(ctx, string(who))
	if err != nil {
		return nil, fmt.Errorf("read the shelf: %w", err)
	}
	kept := make(map[string]sqlgen.ShelfRow, len(rows))
	for _, r := range rows {
		kept[r.ServiceID] = r
	}
	entries := make([]Entry, len(services))
	for i, service := range services {
		r := kept[service.ID]
		entries[i] = Entry{Service: service, Pinned: r.Pinned, Position: r.Position, Uses: r.Uses, LastUsed: r.LastUsedAt.Time()}
	}
	return entries, nil
}

// Pin puts services on somebody's shelf, behind those that they ordered. The
// caller has checked that the person may open them.
func (s Shelf) Pin(ctx context.Context, who campus.PersonID, services ...string) error {
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		rows, err := q.Shelf(ctx, string(who))
		if err != nil {
			return fmt.Errorf("read the shelf: %w", err)
		}
		pinned := map[string]bool{}
		last := int64(0)
		for _, r := range rows {
			if r.Pinned {
				pinned[r.ServiceID] = true
				last = max(last, r.Position)
			}
		}
		for _, service := range services {
			if pinned[service] {
				continue
			}
			if len(pinned) >= MaxPins {
				return TooManyPins.With(fault.Args{"limit": MaxPins})
			}
			pinned[service] = true
			position := int64(0)
			if last > 0 { // the person ordered them: a new one stands behind
				last++
				position = last
			}
			if err := q.PinService(ctx, sqlgen.PinServiceParams{PersonID: string(who), ServiceID: service, Position: position}); err != nil {
				return fmt.Errorf("pin %s: %w", service, err)
			}
		}
		return nil
	})
}

// Unpin takes a service off the shelf; one that is not there is fine. A service
// that was closed meanwhile can be unpinned as well.
func (s Shelf) Unpin(ctx context.Context, who campus.PersonID, service string) error {
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := sqlgen.New(tx).UnpinService(ctx, sqlgen.UnpinServiceParams{PersonID: string(who), ServiceID: service}); err != nil {
			return fmt.Errorf("unpin %s: %w", service, err)
		}
		return nil
	})
}

// Order keeps the order of the pins.
func (s Shelf) Order(ctx context.Context, who campus.PersonID, services []string) error {
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		for i, service := range services {
			if err := q.MovePin(ctx, sqlgen.MovePinParams{PersonID: string(who), ServiceID: service, Position: int64(i + 1)}); err != nil {
				return fmt.Errorf("order the pins: %w", err)
			}
		}
		return nil
	})
}

// Use notes that somebody opened a service.
func (s Shelf) Use(ctx context.Context, who campus.PersonID, service string) error {
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := sqlgen.New(tx).UseService(ctx, sqlgen.UseServiceParams{PersonID: string(who), ServiceID: service, LastUsedAt: tx.Now()}); err != nil {
			return fmt.Errorf("note the use of %s: %w", service, err)
		}
		return nil
	})
}

// Forget deletes what is not pinned and was not opened for age.
func (s Shelf) Forget(ctx context.Context, age time.Duration) error {
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		if _, err := sqlgen.New(tx).ForgetShelf(ctx, tx.Now().Add(-age)); err != nil {
			return fmt.Errorf("delete old uses: %w", err)
		}
		return nil
	})
}
