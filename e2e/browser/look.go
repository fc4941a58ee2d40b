package browser

import (
	"fmt"
	"strings"
)

// A Look is one way of seeing a page: how wide the screen is, whether the
// person prefers dark pages, whether scripts run.
type Look struct {
	Width  int
	Dark   bool
	Script bool
}

// Desk and Phone are the looks of stories that are not about looks. The phone
// is the narrowest that we promise to serve.
var (
	Desk  = Look{Width: 1280, Script: true}
	Phone = Look{Width: 320, Script: true}
)

// WithoutScript is the same look in a browser where scripts do not run.
func (l Look) WithoutScript() Look { l.Script = false; return l }

// InTheDark is the same look for someone who prefers dark pages.
func (l Look) InTheDark() Look { l.Dark = true; return l }

// Opposite is the look that has nothing in common with this one. The two together
// meet every half of the ways in which a page must hold.
func (l Look) Opposite() Look {
	return Look{Width: Phone.Width + Desk.Width - l.Width, Dark: !l.Dark, Script: !l.Script}
}

// Height of the screen that goes with the width.
func (l Look) Height() int {
	if l.Width < 600 {
		return 2 * l.Width
	}
	return 800
}

// String names the look in test names and in the names of pictures.
func (l Look) String() string {
	words := []string{fmt.Sprint(l.Width), "light"}
	if l.Dark {
		words[1] = "dark"
	}
	if !l.Script {
		words = append(words, "noscript")
	}
	return strings.Join(words, "-")
}

// Looks are all the ways in which every page must hold.
func Looks() []Look {
	var all []Look
	for _, width := range []int{320, 1280} {
		for _, dark := range []bool{false, true} {
			for _, script := range []bool{true, false} {
				all = append(all, Look{Width: width, Dark: dark, Script: script})
			}
		}
	}
	return all
}
