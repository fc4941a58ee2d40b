package i18n

import (
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Bytes is an amount of data; as an argument of [T] it is worded with its unit.
type Bytes int64

// bytes words n with at most one decimal and a binary unit: "3,1 Go", "3.1 GB".
func (p *Printer) bytes(n Bytes) string {
	letter, comma := "B", "."
	if p.locale == campus.French {
		letter, comma = "o", ","
	}
	f, unit := float64(n), ""
	for _, larger := range []string{"K", "M", "G", "T"} {
		if f < 1024 {
			break
		}
		f, unit = f/1024, larger
	}
	precision := 0
	if unit != "" && f < 10 {
		precision = 1
	}
	number := strings.TrimSuffix(strconv.FormatFloat(f, 'f', precision, 64), ".0")
	return strings.Replace(number, ".", comma, 1) + "\u00a0" + unit + letter
}
