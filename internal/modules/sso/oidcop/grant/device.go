package grant

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/grant/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// DeviceState is where a device stands.
type DeviceState string

// The states.
const (
	Waiting DeviceState = "waiting"
	Allowed DeviceState = "allowed"
	Refused DeviceState = "refused"
	Spent   DeviceState = "spent" // it has its tokens
)

// DeviceRequest is a device that waits for somebody (RFC 8628).
type DeviceRequest struct {
	ID        string // hash of the device code
	State     DeviceState
	Service   string
	Client    string
	Scopes    []string
	Peer      string // network address of the device
	Person    campus.PersonID
	Detail    Detail
	Pause     time.Duration // between two questions of the device
	CreatedAt db.Time
	ExpiresAt db.Time
	PolledAt  db.Time
}

// userAlphabet has no vowels, so that no word comes about, and nothing that looks
// like a digit (RFC 8628 §6.1). Eight letters of twenty are 34 bits: with a few
// tries a minute and minutes to live, nobody guesses one.
const (
	userAlphabet = "BCDFGHJKLMNPQRSTVWXZ"
	userLength   = 8
)

// UserCode makes what people type, such as WDJB-MJHT.
func UserCode() string {
	var b strings.Builder
	for i := range userLength {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(userAlphabet))))
		if err != nil {
			panic("no randomness: " + err.Error()) // as crypto/rand itself does
		}
		if i == userLength/2 {
			b.WriteByte('-')
		}
		b.WriteByte(userAlphabet[n.Int64()])
	}
	return b.String()
}

// NormalUserCode is what somebody typed as it was made, whatever they put between
// the letters; "" when it can be no code.
func NormalUserCode(typed string) string {
	letters := strings.Map(func(r rune) rune {
		if strings.ContainsRune(userAlphabet, r) {
			return r
		}
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return '?' // a slip, not a separator
		}
		return -1
	}, strings.ToUpper(typed))
	if len(letters) != userLength || strings.Contains(letters, "?") {
		return ""
	}
	return letters[:userLength/2] + "-" + letters[userLength/2:]
}

// Await keeps a device under the hashes of its two codes.
func (s *Store) Await(ctx context.Context, tx db.Tx, deviceCode, userCode string, d DeviceRequest, lifetime time.Duration) error {
	err := sqlgen.New(tx).InsertDevice(ctx, sqlgen.InsertDeviceParams{
		ID: id.Hash(deviceCode), UserCode: id.Hash(userCode), ServiceID: d.Service, ClientID: d.Client, Scope: strings.Join(d.Scopes, " "),
		Peer: d.Peer, Pause: int64(d.Pause / time.Second), CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(lifetime),
	})
	if err != nil {
		return fmt.Errorf("keep a device of %s: %w", d.Service, err)
	}
	return nil
}

// Device finds a device by its own code, or [Unknown].
func (s *Store) Device(ctx context.Context, deviceCode string) (DeviceRequest, error) {
	return deviceOf(sqlgen.New(s.db.Read()).Device(ctx, id.Hash(deviceCode)))
}

// DeviceByUserCode finds a device by what somebody typed, or [Unknown].
func (s *Store) DeviceByUserCode(ctx context.Context, userCode string) (DeviceRequest, error) {
	return deviceOf(sqlgen.New(s.db.Read()).DeviceByUserCode(ctx, id.Hash(userCode)))
}

func deviceOf(row sqlgen.SsoOidcDevice, err error) (DeviceRequest, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return DeviceRequest{}, Unknown
	}
	if err != nil {
		return DeviceRequest{}, fmt.Errorf("read a device: %w", err)
	}
	d := DeviceRequest{
		ID: row.ID, State: DeviceState(row.State), Service: row.ServiceID, Client: row.ClientID, Scopes: strings.Fields(row.Scope), Peer: row.Peer,
		Person: campus.PersonID(row.Person), Pause: time.Duration(row.Pause) * time.Second,
		CreatedAt: row.CreatedAt, ExpiresAt: row.ExpiresAt, PolledAt: row.PolledAt,
	}
	if row.Detail == "" {
		return d, nil
	}
	d.Detail, err = ReadDetail(row.Detail)
	return d, err
}

// Decide lets a waiting device in, or refuses it. won is false when it was decided
// before or is too late.
func (s *Store) Decide(ctx context.Context, tx db.Tx, device string, as DeviceState, who campus.PersonID, detail Detail) (won bool, err error) {
	text, err := detail.Text()
	if err != nil {
		return false, fmt.Errorf("decide about a device: %w", err)
	}
	n, err := sqlgen.New(tx).DecideDevice(ctx, sqlgen.DecideDeviceParams{ID: device, State: string(as), Person: string(who), Detail: text, NowAt: tx.Now()})
	if err != nil {
		return false, fmt.Errorf("decide about a device: %w", err)
	}
	return n == 1, nil
}

// Polled notes that the device asked, and how long it has to pause from now on.
func (s *Store) Polled(ctx context.Context, tx db.Tx, device string, pause time.Duration) error {
	err := sqlgen.New(tx).PolledDevice(ctx, sqlgen.PolledDeviceParams{ID: device, PolledAt: tx.Now(), Pause: int64(pause / time.Second)})
	if err != nil {
		return fmt.Errorf("note that a device asked: %w", err)
	}
	return nil
}

// SpendDevice takes an allowed device's turn. won is false when it had it.
func (s *Store) SpendDevice(ctx context.Context, tx db.Tx, device string) (won bool, err error) {
	n, err := sqlgen.New(tx).SpendDevice(ctx, sqlgen.SpendDeviceParams{ID: device, NowAt: tx.Now()})
	if err != nil {
		return false, fmt.Errorf("give a device its tokens: %w", err)
	}
	return n == 1, nil
}
