package table

import (
	"strings"
	"testing"
)

func TestNoCellIsAFormula(t *testing.T) {
	var out strings.Builder
	w := NewWriter(&out)
	w.Comma = ';'
	row := []string{"=1+1", "+33 1 99", "-2", "@x", "\ty", "\rz", "name = x", "", "é", "a;b"}
	if err := w.WriteAll([][]string{row, {"=2"}}); err != nil {
		t.Fatal(err)
	}
	if want := "'=1+1;'+33 1 99;'-2;'@x;'\ty;\"'\rz\";name = x;;é;\"a;b\"\n'=2\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	if row[0] != "=1+1" {
		t.Error("the row was changed")
	}
}

func TestACellIsReadAsItWasMeant(t *testing.T) {
	for _, cell := range []string{"=1+1", "+33 1 99", "\ty", "plain", "'tis", "", "'"} {
		if got := Meant(Harmless(cell)); got != cell {
			t.Errorf("%q is read as %q", cell, got)
		}
	}
}
