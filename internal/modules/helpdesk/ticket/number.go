package ticket

import (
	"crypto/rand"
	"math/big"
	"strconv"
	"strings"
)

// A tracking number is seven digits by chance, so that it says nothing about how
// many tickets there are, and one that checks them by Damm's method: every wrong
// digit and every swap of neighbours is found. Digits are read out alike in every
// language. The number opens nothing by itself.

// damm is a totally anti-symmetric quasigroup of order 10 (H. M. Damm, 2004).
var damm = [10][10]byte{
	{0, 3, 1, 7, 5, 9, 8, 6, 4, 2},
	{7, 0, 9, 2, 1, 5, 4, 8, 6, 3},
	{4, 2, 0, 6, 8, 7, 1, 3, 5, 9},
	{1, 7, 5, 0, 9, 8, 3, 4, 2, 6},
	{6, 1, 2, 3, 0, 4, 5, 9, 7, 8},
	{3, 6, 7, 4, 2, 0, 9, 5, 8, 1},
	{5, 8, 6, 9, 7, 2, 0, 1, 3, 4},
	{8, 9, 4, 5, 3, 6, 2, 0, 1, 7},
	{9, 4, 3, 8, 6, 1, 7, 2, 0, 5},
	{2, 5, 8, 1, 4, 3, 6, 7, 9, 0},
}

func check(digits string) (rest byte) {
	for i := range len(digits) {
		rest = damm[rest][digits[i]-'0']
	}
	return rest
}

// newNumber draws a number. The first digit is never 0: people leave those out.
func newNumber() string {
	n, err := rand.Int(rand.Reader, big.NewInt(9_000_000))
	if err != nil {
		panic(err) // documented never to fail
	}
	digits := strconv.FormatInt(1_000_000+n.Int64(), 10)
	return digits + string('0'+rune(check(digits)))
}

// ParseNumber reads a tracking number however it is typed: with spaces, dots, a
// dash, a # or a word in front. It is false when a digit is wrong, missing or too
// many.
func ParseNumber(typed string) (string, bool) {
	var digits strings.Builder
	for _, r := range typed {
		switch {
		case r >= '0' && r <= '9':
			digits.WriteRune(r)
		case r >= '０' && r <= '９': // full width
			digits.WriteRune(r - '０' + '0')
		}
		if digits.Len() > 8 {
			return "", false
		}
	}
	n := digits.String()
	return n, len(n) == 8 && check(n) == 0
}

// Spoken is a number in two groups of four, as it is read out.
func Spoken(number string) string {
	if len(number) != 8 {
		return number
	}
	return number[:4] + " " + number[4:]
}
