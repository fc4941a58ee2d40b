package device

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/device/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk/place"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

func (x *Devices) byToken(ctx context.Context, q db.Querier, token string, who campus.PersonID) (Device, bool, error) {
	if token == "" {
		return Device{}, false, nil
	}
	row, err := sqlgen.New(q).DeviceByToken(ctx, sqlgen.DeviceByTokenParams{TokenHash: id.Hash(token), PersonID: string(who)})
	if errors.Is(err, sql.ErrNoRows) {
		return Device{}, false, nil
	}
	if err != nil {
		return Device{}, false, fmt.Errorf("read a device: %w", err)
	}
	if row.LastSeenAt.Add(x.config.Keep).Before(x.DB.Now()) { // the job that forgets it has not come by yet
		return Device{}, false, nil
	}
	d := deviceOf(sqlgen.DevicesOfRow(row))
	d.token = token
	return d, true, nil
}

func deviceOf(row sqlgen.DevicesOfRow) Device {
	return Device{
		ID: row.ID, Agent: row.UserAgent, Network: row.Network, Place: place.Parse(row.Place),
		FirstSeenAt: row.FirstSeenAt.Time(), LastSeenAt: row.LastSeenAt.Time(),
		TrustedAt: row.TrustedAt.Time(), TrustEndsAt: row.TrustEndsAt.Time(),
	}
}

// insert adds a device under a new token, which everybody known in the browser
// moves to.
func (x *Devices) insert(ctx context.Context, tx db.Tx, who campus.PersonID, s Sight) (Device, error) {
	q := sqlgen.New(tx)
	if s.token != "" {
		// A row of this person that is too old to count would be in the way.
		if err := x.forgetToken(ctx, tx, s.token, who); err != nil {
			return Device{}, err
		}
		if _, err := q.MoveToken(ctx, sqlgen.MoveTokenParams{NewHash: id.Hash(s.fresh), OldHash: id.Hash(s.token)}); err != nil {
			return Device{}, fmt.Errorf("renew the token of a browser: %w", err)
		}
	}
	d := Device{
		ID: id.New(), Agent: s.Agent, Network: s.network(), Place: s.Place,
		FirstSeenAt: tx.Now().Time(), LastSeenAt: tx.Now().Time(), New: true, token: s.fresh,
	}
	err := q.AddDevice(ctx, sqlgen.AddDeviceParams{
		ID: d.ID, TokenHash: id.Hash(s.fresh), PersonID: string(who), UserAgent: s.Agent, Network: s.network(), Place: s.Place.Text(), NowAt: tx.Now(),
	})
	if err != nil {
		return Device{}, fmt.Errorf("store a device: %w", err)
	}
	if _, err := q.ForgetBeyond(ctx, sqlgen.ForgetBeyondParams{PersonID: string(who), Most: most}); err != nil {
		return Device{}, fmt.Errorf("forget the oldest devices: %w", err)
	}
	return d, nil
}

func (x *Devices) see(ctx context.Context, tx db.Tx, d *Device, s Sight) error {
	d.Agent, d.Network, d.Place, d.LastSeenAt = s.Agent, s.network(), s.Place, tx.Now().Time()
	_, err := sqlgen.New(tx).SeeDevice(ctx, sqlgen.SeeDeviceParams{
		ID: d.ID, UserAgent: d.Agent, Network: d.Network, Place: d.Place.Text(), LastSeenAt: tx.Now(),
	})
	if err != nil {
		return fmt.Errorf("note when a device was seen: %w", err)
	}
	return nil
}

func (x *Devices) countAlike(ctx context.Context, tx db.Tx, who campus.PersonID, s Sight, since db.Time) (int64, error) {
	n, err := sqlgen.New(tx).CountAlike(ctx, sqlgen.CountAlikeParams{PersonID: string(who), UserAgent: s.Agent, Network: s.network(), SinceAt: since})
	if err != nil {
		return 0, fmt.Errorf("count devices that look alike: %w", err)
	}
	return n, nil
}

func (x *Devices) storeTrust(ctx context.Context, tx db.Tx, who campus.PersonID, d Device) error {
	_, err := sqlgen.New(tx).TrustDevice(ctx, sqlgen.TrustDeviceParams{
		ID: d.ID, PersonID: string(who), TrustedAt: db.At(d.TrustedAt), TrustEndsAt: db.At(d.TrustEndsAt),
	})
	if err != nil {
		return fmt.Errorf("trust a device: %w", err)
	}
	return nil
}

func (x *Devices) forgetToken(ctx context.Context, tx db.Tx, token string, who campus.PersonID) error {
	if token == "" {
		return nil
	}
	if _, err := sqlgen.New(tx).ForgetByToken(ctx, sqlgen.ForgetByTokenParams{TokenHash: id.Hash(token), PersonID: string(who)}); err != nil {
		return fmt.Errorf("forget a device: %w", err)
	}
	return nil
}

// List is the known browsers of somebody, the one used last first.
func (x *Devices) List(ctx context.Context, who campus.PersonID) ([]Device, error) {
	rows, err := sqlgen.New(x.DB.Read()).DevicesOf(ctx, string(who))
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	devices := make([]Device, len(rows))
	for i, row := range rows {
		devices[i] = deviceOf(row)
	}
	return devices, nil
}

// EndTrust ends the trust in every browser of somebody, and returns in how many.
// Call it in the transaction that changes a password or removes a factor: who had
// the old one may have trusted a browser of theirs.
func (x *Devices) EndTrust(ctx context.Context, tx db.Tx, who campus.PersonID) (int, error) {
	n, err := sqlgen.New(tx).EndTrust(ctx, sqlgen.EndTrustParams{PersonID: string(who), NowAt: tx.Now()})
	if err != nil {
		return 0, fmt.Errorf("end the trust in devices: %w", err)
	}
	return int(n), nil
}

// Forget makes one browser of somebody unknown. Somebody else's is [Missing].
func (x *Devices) Forget(ctx context.Context, tx db.Tx, device string, e journal.Event) error {
	n, err := sqlgen.New(tx).ForgetDevice(ctx, sqlgen.ForgetDeviceParams{ID: device, PersonID: string(e.Person)})
	if err != nil {
		return fmt.Errorf("forget a device: %w", err)
	}
	if n == 0 {
		return Missing
	}
	return x.writeForgotten(ctx, tx, e)
}

// ForgetAll makes every browser of somebody unknown, and returns how many.
func (x *Devices) ForgetAll(ctx context.Context, tx db.Tx, e journal.Event) (int, error) {
	n, err := sqlgen.New(tx).ForgetAll(ctx, string(e.Person))
	if err != nil {
		return 0, fmt.Errorf("forget all devices: %w", err)
	}
	if n == 0 {
		return 0, nil
	}
	return int(n), x.writeForgotten(ctx, tx, e)
}

func (x *Devices) writeForgotten(ctx context.Context, tx db.Tx, e journal.Event) error {
	e.Kind = "identity.device_forgotten"
	return x.Journal.Write(ctx, tx, e)
}

func (x *Devices) prune(ctx context.Context) error {
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		if _, err := sqlgen.New(tx).ForgetUnseen(ctx, tx.Now().Add(-x.config.Keep)); err != nil {
			return fmt.Errorf("forget devices: %w", err)
		}
		return nil
	})
}
