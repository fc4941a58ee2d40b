package ticket

import "testing"

func TestEveryWrongDigitAndEverySwapIsFound(t *testing.T) {
	for range 200 {
		number := newNumber()
		if got, ok := ParseNumber(Spoken(number)); !ok || got != number {
			t.Fatalf("%s is not read back: %s, %v", number, got, ok)
		}
		for i := range number {
			for d := byte('0'); d <= '9'; d++ {
				wrong := number[:i] + string(rune(d)) + number[i+1:]
				if _, ok := ParseNumber(wrong); ok != (wrong == number) {
					t.Fatalf("%s passes for %s", wrong, number)
				}
			}
			if i > 0 && number[i] != number[i-1] {
				swapped := number[:i-1] + string(number[i]) + string(number[i-1]) + number[i+1:]
				if _, ok := ParseNumber(swapped); ok {
					t.Fatalf("%s passes for %s", swapped, number)
				}
			}
		}
	}
}

func TestANumberIsReadHoweverItIsTyped(t *testing.T) {
	number := newNumber()
	for _, typed := range []string{number, Spoken(number), "#" + number, " n° " + number[:4] + "." + number[4:], "Amphi " + number[:2] + "-" + number[2:]} {
		if got, ok := ParseNumber(typed); !ok || got != number {
			t.Errorf("%q is read as %q, %v", typed, got, ok)
		}
	}
	for _, typed := range []string{"", "1234", number + "1", "abcdefgh"} {
		if _, ok := ParseNumber(typed); ok {
			t.Errorf("%q passes", typed)
		}
	}
}
