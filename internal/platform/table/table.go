// Package table writes tables that people open in a spreadsheet.
package table

import (
	"encoding/csv"
	"io"
	"strings"
)

// formula are the characters with which a cell becomes a formula when a spreadsheet
// opens it.
const formula = "=+-@\t\r"

// Harmless is a cell that no spreadsheet takes for a formula, whoever wrote it.
func Harmless(cell string) string {
	if cell != "" && strings.ContainsRune(formula, rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// Meant is a cell as it was before [Harmless].
func Meant(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && strings.IndexAny(rest, formula) == 0 {
		return rest
	}
	return cell
}

// Writer is a csv.Writer none of whose cells is a formula: names and numbers in a
// table were typed by anybody.
type Writer struct{ *csv.Writer }

// NewWriter writes to w. The separator is that of csv.Writer and can be set.
func NewWriter(w io.Writer) Writer { return Writer{csv.NewWriter(w)} }

// Write adds a row. It does not change the row.
func (w Writer) Write(row []string) error {
	safe := make([]string, len(row))
	for i, cell := range row {
		safe[i] = Harmless(cell)
	}
	return w.Writer.Write(safe)
}

// WriteAll adds rows and flushes.
func (w Writer) WriteAll(rows [][]string) error {
	for _, row := range rows {
		if err := w.Write(row); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}
