package csvsource

import (
	"encoding/csv"
	"fmt"
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

// Export writes a table as spreadsheets open it without a question: UTF-8 with its mark,
// semicolons, and no cell that is a formula.
func Export(w io.Writer, rows func(write func(cells ...string) error) error) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	out := csv.NewWriter(w)
	out.Comma = ';'
	out.UseCRLF = true
	err := rows(func(cells ...string) error {
		safe := make([]string, len(cells))
		for i, c := range cells {
			safe[i] = Harmless(c)
		}
		return out.Write(safe)
	})
	if err != nil {
		return err
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}
