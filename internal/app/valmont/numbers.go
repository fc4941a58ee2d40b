package valmont

import "fmt"

// fictionalDesk and fictionalMobile use the ranges that ARCEP, the French
// regulator, keeps for works of fiction: nobody answers there.

func fictionalDesk(n int) string {
	return fmt.Sprintf("01 99 00 %02d %02d", n/100%100, n%100)
}

func fictionalMobile(n int) string {
	return fmt.Sprintf("06 39 98 %02d %02d", n/100%100, n%100)
}

// studentNumber is the number printed on the registration certificate: the year
// of the first registration, five digits, and a check digit that catches one
// wrong digit and most exchanges of two neighbours.
func studentNumber(year, n int) string {
	body := fmt.Sprintf("%02d%05d", year%100, n)
	return body + string(rune('0'+luhn(body)))
}

// ValidStudentNumber reports whether the check digit of a student number is right.
func ValidStudentNumber(number string) bool {
	if len(number) != 8 {
		return false
	}
	for _, digit := range number {
		if digit < '0' || digit > '9' {
			return false
		}
	}
	return luhn(number[:7]) == int(number[7]-'0')
}

// luhn computes the check digit of Luhn's method (ISO/IEC 7812-1, annex B).
func luhn(digits string) int {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			d *= 2
			if d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return (10 - sum%10) % 10
}
