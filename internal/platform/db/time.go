package db

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// Time is an instant as both engines store it: microseconds since 1970 in UTC,
// in a BIGINT column. Zero means "none", so columns are NOT NULL DEFAULT 0.
//
// Text and TIMESTAMPTZ times compare wrongly on one engine or the other
// without any error, which is why there is only this one form.
type Time int64

// At is the stored form of t; the zero time.Time is none.
func At(t time.Time) Time {
	if t.IsZero() {
		return 0
	}
	return Time(t.UnixMicro())
}

// Time is the instant in UTC; none is the zero time.Time.
func (t Time) Time() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(t)).UTC()
}

// IsZero tells whether there is no instant.
func (t Time) IsZero() bool { return t == 0 }

// Add is the instant d later.
func (t Time) Add(d time.Duration) Time { return t + Time(d.Microseconds()) }

// Sub is the duration from u to t.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t-u) * time.Microsecond }

// Before tells whether t is earlier than u.
func (t Time) Before(u Time) bool { return t < u }

// After tells whether t is later than u.
func (t Time) After(u Time) bool { return t > u }

// Value gives drivers the plain number.
func (t Time) Value() (driver.Value, error) { return int64(t), nil }

// Scan reads a column; NULL, from an outer join or an aggregate over nothing,
// is none.
func (t *Time) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*t = 0
	case int64:
		*t = Time(v)
	default:
		return fmt.Errorf("db: a time column holds %T, want microseconds as an integer", src)
	}
	return nil
}
