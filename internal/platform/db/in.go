package db

import (
	"strconv"
	"strings"
)

// In writes the placeholders of a list: In(3, 4) is "($4,$5,$6)", for
// "WHERE id IN " + db.In(len(ids), 4). An empty list is "(NULL)", which no
// value is in (and, as SQL has it, none is NOT IN either). Keep lists under
// about 500 and read longer ones in pieces.
func In(n, first int) string {
	if n <= 0 {
		return "(NULL)"
	}
	var b strings.Builder
	b.Grow(2 + n*4)
	b.WriteByte('(')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(first + i))
	}
	b.WriteByte(')')
	return b.String()
}
