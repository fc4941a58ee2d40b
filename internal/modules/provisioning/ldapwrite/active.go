package ldapwrite

import (
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/amphi-campus/amphi/internal/platform/id"
)

// accountControl is the attribute of Active Directory whose bits say what an account may
// do ([MS-ADTS] 2.2.16). A directory whose accounts are suspended by it is one.
const accountControl = "userAccountControl"

// Its usual value, and the bit of an account that is switched off.
const (
	normalAccount   = 0x200
	accountDisabled = 0x2
)

// active reports whether the directory is an Active Directory.
func (c Config) active() bool { return strings.EqualFold(c.SuspendBy, accountControl) }

// groupClass is the object class of groups.
func (c Config) groupClass() string {
	if c.active() {
		return "group"
	}
	return "groupOfNames"
}

// open is the value of the attribute that keeps somebody out, when it does not; none
// removes it. An Active Directory keeps the bits that others set.
func (c Config) open(now string) []string {
	switch {
	case c.active():
		return []string{strconv.Itoa(control(now) &^ accountDisabled)}
	case c.OpenValue != "":
		return []string{c.OpenValue}
	default:
		return []string{}
	}
}

// shut is its value when it does.
func (c Config) shut(now string) string {
	if c.active() {
		return strconv.Itoa(control(now) | accountDisabled)
	}
	return c.SuspendValue
}

// suspended reports whether it does.
func (c Config) suspended(now string) bool {
	if c.active() {
		return control(now)&accountDisabled != 0
	}
	return now == c.SuspendValue
}

// control reads the bits; those of a new account when there are none.
func control(text string) int {
	bits, err := strconv.Atoi(text)
	if err != nil {
		return normalAccount
	}
	return bits
}

// unknownPassword is one that nobody ever learns, as unicodePwd takes it
// ([MS-ADTS] 3.1.1.3.1.5): an Active Directory switches no account on without one.
func unknownPassword() string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(`"` + id.Token(24) + `aA1!"`)) {
		b.WriteByte(byte(unit))
		b.WriteByte(byte(unit >> 8))
	}
	return b.String()
}
