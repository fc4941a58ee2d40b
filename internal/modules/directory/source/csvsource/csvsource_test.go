package csvsource_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/modules/directory/source/csvsource"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/table"
)

// reading is what a table hands over.
type reading struct {
	source.Result
	entries []mapping.Entry
	refused []source.Refusal // of the table and of the mapping
	err     error
}

func read(t *testing.T, c source.Config, text string) (r reading) {
	t.Helper()
	c.ID, c.Kind = "rh", source.KindCSV
	m, err := mapping.New(c, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	s := csvsource.Upload(c, m.Attributes(source.Person), "/import/rh.csv", func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil })
	r.Result, r.err = s.Read(t.Context(), "", func(one source.Record) error {
		entry, refused := m.Map(one)
		r.entries, r.refused = append(r.entries, entry), append(r.refused, refused...)
		return nil
	})
	r.refused = append(r.Refused, r.refused...)
	return r
}

// in encodes text.
func in(t *testing.T, e interface{ String(string) (string, error) }, text string) string {
	t.Helper()
	encoded, err := e.String(text)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func TestATableIsReadWhateverItsSeparatorAndEncoding(t *testing.T) {
	const table = "Numéro étudiant;Nom;Prénom;Courriel;Statut;Étape\r\n20260001;Quéré;Zoé;zoe@univ.fr;Étudiante;L1INFO\r\n20260002;\"D’Angelo; dit Œuf\";Noël;noel@univ.fr;étudiant;L2INFO\r\n"
	separated := func(by string) string { // the one within a cell stays
		return strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(table, "; ", "\x01"), ";", by), "\x01", "; ")
	}
	for name, text := range map[string]string{
		"UTF-8":                   table,
		"UTF-8 with a mark":       "\ufeff" + table,
		"Windows-1252":            in(t, charmap.Windows1252.NewEncoder(), table),
		"UTF-16, as Excel says":   in(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder(), table),
		"commas":                  separated(","),
		"tabulators":              separated("\t"),
		"old ends of lines":       strings.ReplaceAll(table, "\r\n", "\r"),
		"no end of the last line": strings.TrimSuffix(table, "\r\n"),
		"the separator is told":   "sep=;\r\n" + table,
		"empty lines":             ";;;;;\n\n" + strings.ReplaceAll(table, "\r\n", "\n;;;;;\n\n"),
		"half of it is UTF-8":     in(t, charmap.Windows1252.NewEncoder(), table[:strings.Index(table, "\r\n2026")+2]) + table[strings.Index(table, "\r\n2026")+2:],
	} {
		r := read(t, source.Config{}, text)
		if r.err != nil || len(r.refused) > 0 || len(r.entries) != 2 || len(r.Remarks) > 0 {
			t.Errorf("%s: %d entries, refused %v, %v, %v", name, len(r.entries), r.refused, r.Remarks, r.err)
			continue
		}
		first, second := r.entries[0].Values.Subject(), r.entries[1].Values.Subject()
		if first.FamilyName != "Quéré" || first.GivenName != "Zoé" || first.Mail != "zoe@univ.fr" || len(first.Affiliations) != 1 || first.Affiliations[0].Programme != "L1INFO" ||
			second.FamilyName != "D’Angelo; dit Œuf" || r.entries[0].Key != "student_number:20260001" || !strings.HasPrefix(r.entries[0].Where, "rh.csv:") {
			t.Errorf("%s: %+v and %+v, key %q at %q", name, first, second, r.entries[0].Key, r.entries[0].Where)
		}
	}
}

func TestColumnsAreKnownByManyNames(t *testing.T) {
	for header, want := range map[string]mapping.Field{
		"Nom d'usage": "family_name", "NOM": "family_name", "Last name": "family_name", "Prénom usuel": "given_name", "First Name": "given_name",
		"N° étudiant": "student_number", "nº étudiant": "student_number", "No étudiant": "student_number", "Student ID": "student_number", "Matricule": mapping.FieldEmployeeNumber,
		"E-mail": "mail", "Adresse électronique": "mail", "Mél": "mail", "Courriel personnel": "recovery_mail", "Téléphone portable": "mobile",
		"Tél.": mapping.FieldPhone, "Bâtiment": mapping.FieldBuilding, "Bureau": mapping.FieldOffice, "Intitulé du poste": "job_title", "Langue": "locale", "student_number": "student_number",
	} {
		value := map[mapping.Field]string{"mail": "a@univ.fr", "recovery_mail": "a@univ.fr", "mobile": "0612345678", mapping.FieldPhone: "0199000000", "locale": "fr"}[want]
		if value == "" {
			value = "Valeur"
		}
		r := read(t, source.Config{CSV: source.CSVConfig{Key: "clé"}}, "clé;"+header+"\nk1;"+value+"\n")
		if r.err != nil || len(r.entries) != 1 || r.entries[0].Values.One(want) != value {
			t.Errorf("%s: %v, %v, refused %v", header, r.entries, r.err, r.refused)
		}
	}
	r := read(t, source.Config{}, "login;Nom;Nom d’usage;Pointure\njd;Martin;Dupont;42\n")
	if r.entries[0].Values.One("family_name") != "Dupont" || len(r.Remarks) != 1 || fault.Of(r.Remarks[0]).Args["columns"] != "Pointure" {
		t.Errorf("of two columns: %v, remarks %v", r.entries[0].Values, r.Remarks)
	}
	r = read(t, source.Config{Map: map[string]string{"office": "'{batiment}-{pointure}'", "login": "lower(code)"}, CSV: source.CSVConfig{Key: "Code"}}, "Code;Nom;Bâtiment;Pointure\nJD;Martin;B;42\n")
	if len(r.entries) != 1 || r.entries[0].Values.One(mapping.FieldOffice) != "B-42" || r.entries[0].Values.One("login") != "jd" || len(r.Remarks) > 0 || r.entries[0].Key != "code:jd" {
		t.Errorf("columns of the mapping: %+v, %v", r.entries, r.Remarks)
	}
}

func TestEveryLineThatIsRefusedIsNamedWithItsReason(t *testing.T) {
	r := read(t, source.Config{}, strings.Join([]string{
		"login;nom;prenom;mail;numéro étudiant;statut",
		"zoe;Quéré;Zoé;zoe@univ.fr;1;étudiante", // 2
		";Personne;;;;",                                          // 3
		"a;\"jamais fermé;b;c;d;étudiant",                        // 4
		"noel;Noël;Noël;pas une adresse;2,02E+07;empereur",       // 5
		"trop;de;cellules;sur;cette;ligne;ici",                   // 6
		"zoe2;Autre;Zoé;z@univ.fr;1;étudiante",                   // 7
		"court;Court",                                            // 8
		"ok;\"sur\ndeux \"\"lignes\"\"\";Ok;ok@univ.fr;9;invité", // 9
		"dernier;Dernier;D;d@univ.fr;10;étudiant",                // 11
	}, "\n"))
	if r.err != nil {
		t.Fatal(r.err)
	}
	var got []string
	for _, one := range r.refused {
		got = append(got, one.Where+" "+one.Field+" "+one.Code())
	}
	slices.Sort(got)
	want := []string{
		"rh.csv:3  directory.key_missing", "rh.csv:4  directory.line_broken", "rh.csv:5 affiliations directory.affiliation_unknown", "rh.csv:5 mail directory.mail_unfit",
		"rh.csv:5 student_number directory.number_rounded", "rh.csv:6  directory.line_broken", "rh.csv:7  directory.key_twice",
	}
	if !slices.Equal(got, want) {
		t.Errorf("refused:\n%s", strings.Join(got, "\n"))
	}
	var names []string
	for _, e := range r.entries {
		names = append(names, e.Values.One("family_name")+"@"+e.Where)
	}
	if !slices.Equal(names, []string{"Quéré@rh.csv:2", "Noël@rh.csv:5", "Court@rh.csv:8", "sur deux \"lignes\"@rh.csv:9", "Dernier@rh.csv:11"}) {
		t.Errorf("taken: %q", names)
	}
	if _, said := r.entries[2].Values["mail"]; said {
		t.Error("a cell that is not there is said to be empty")
	}
}

func TestLinesAboutOnePersonAreJoined(t *testing.T) {
	r := read(t, source.Config{}, "numero etudiant;nom;prenom;statut;campus;etape\n1;Quéré;Zoé;étudiante;rives;L1INFO\n1;QUERE;Zoe;étudiante;port;L1DROIT\n2;Faure;Paul;étudiant;rives;L1INFO\n1;Quéré;Zoé;étudiante;rives;M1\n")
	if len(r.entries) != 2 || len(r.refused) != 1 || !errors.Is(r.refused[0], source.KeyTwice) {
		t.Fatalf("%d entries, refused %v", len(r.entries), r.refused)
	}
	if got := r.entries[0].Values["affiliations"]; !slices.Equal(got, []string{"student|port|L1DROIT|", "student|rives|L1INFO|"}) {
		t.Errorf("the affiliations are %q", got)
	}
	if got := r.entries[0].Values.One("family_name"); got != "Quéré" {
		t.Errorf("the name is %q", got)
	}
}

func TestOnlyAWholeFileSaysWhoHasLeft(t *testing.T) {
	const table = "login;nom\na;A\n"
	if r := read(t, source.Config{}, table); r.All(source.Person) {
		t.Error("a part says who has left")
	}
	if r := read(t, source.Config{CSV: source.CSVConfig{Whole: true}}, table); !r.All(source.Person) || r.All(source.Group) {
		t.Errorf("a whole file is complete for %v", r.Complete)
	}
}

func TestWhatIsNoTableIsRefusedWithItsReason(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       *fault.Reason
	}{
		{"an empty file", "", source.FileUnreadable},
		{"a spreadsheet itself", "PK\x03\x04\x00\x00\x00\x00\x00", source.FileUnreadable},
		{"a line without an end", "login;nom\n" + strings.Repeat("x", 3<<20), source.FileUnreadable},
		{"columns of something else", "pointure;couleur\n42;bleu\n", source.HeaderMissing},
		{"nothing that names people", "nom;prenom\nA;B\n", source.HeaderMissing},
	} {
		if r := read(t, source.Config{CSV: source.CSVConfig{Whole: true}}, c.text); !errors.Is(r.err, c.want) || len(r.Complete) > 0 {
			t.Errorf("%s: %v, complete %v", c.name, r.err, r.Complete)
		}
	}
}

func TestAFileIsReadWhenItHasChangedAndNotWhileItIsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rh.csv")
	c := source.Config{ID: "rh", Kind: source.KindCSV, CSV: source.CSVConfig{File: path, Whole: true}}
	s := csvsource.File(c, nil)
	if _, err := s.Read(t.Context(), "", nil); !errors.Is(err, source.FileMissing) {
		t.Errorf("without a file: %v", err)
	}
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("login;nom\na;A\nb;B\n")
	n := 0
	count := func(source.Record) error { n++; return nil }
	first, err := s.Read(t.Context(), "", count)
	if err != nil || n != 2 || !first.All(source.Person) || first.Cursor == "" {
		t.Fatalf("%d records, %+v, %v", n, first, err)
	}
	again, err := s.Read(t.Context(), first.Cursor, count)
	if err != nil || n != 2 || again.All(source.Person) || again.Cursor != first.Cursor {
		t.Errorf("unchanged: %d records, %+v, %v", n, again, err)
	}
	write("login;nom\na;A\nb;B\nc;C\n")
	cut, err := s.Read(t.Context(), first.Cursor, func(source.Record) error {
		write("login;nom\na;A\n")
		return nil
	})
	if !errors.Is(err, source.BrokenOff) || cut.All(source.Person) {
		t.Errorf("while it is written: %+v, %v", cut, err)
	}
}

// endless writes a table line by line, so that nobody holds it whole.
func endless(lines int) io.ReadCloser {
	r, w := io.Pipe()
	go func() {
		b := bufio.NewWriterSize(w, 1<<16)
		fmt.Fprint(b, "num\xe9ro \xe9tudiant;nom;pr\xe9nom;courriel;statut;\xe9tape\r\n")
		for i := range lines {
			fmt.Fprintf(b, "%d;Qu\xe9r\xe9;\"Zo\xe9 %d\";e%d@univ.fr;\xe9tudiante;L1INFO\r\n", 20000000+i, i, i)
		}
		w.CloseWithError(b.Flush())
	}()
	return r
}

func TestAMillionLinesAreStreamed(t *testing.T) {
	lines := 1_000_000
	if testing.Short() {
		lines = 50_000
	}
	s := csvsource.Upload(source.Config{ID: "rh"}, nil, "rh.csv", func() (io.ReadCloser, error) { return endless(lines), nil })
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now()
	n := 0
	result, err := s.Read(t.Context(), "", func(r source.Record) error {
		if n++; n == lines-1 {
			runtime.GC()
			runtime.ReadMemStats(&after)
		}
		return nil
	})
	if err != nil || n != lines || len(result.Refused) > 0 {
		t.Fatalf("%d records, refused %d, %v", n, len(result.Refused), err)
	}
	held := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d lines in %v, %d MB held", lines, time.Since(began).Round(time.Millisecond), held>>20)
	if held > 100<<20 {
		t.Errorf("%d MB are held", held>>20)
	}
}

func TestATableOfOursIsReadAsItWasMeant(t *testing.T) {
	var out bytes.Buffer
	w := table.NewWriter(&out)
	w.Comma = ';'
	if err := w.WriteAll([][]string{{"login", "téléphone", "nom"}, {"a", "+33 1 99 00 00 00", "x"}}); err != nil {
		t.Fatal(err)
	}
	back := read(t, source.Config{}, out.String())
	if len(back.entries) != 1 || back.entries[0].Values.One(mapping.FieldPhone) != "+33 1 99 00 00 00" {
		t.Errorf("read again it is %+v, %v", back.entries, back.refused)
	}
}

// FuzzRead: any bytes are records, refusals or an error, and end.
func FuzzRead(f *testing.F) {
	f.Add([]byte("login;nom\na;\"A\nb;B\n"))
	f.Add([]byte("\xff\xfel\x00o\x00g\x00i\x00n\x00"))
	f.Add([]byte("sep=,\nlogin,nom\n\"\"\"\",\"\"\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := csvsource.Upload(source.Config{ID: "rh"}, nil, "x.csv", func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil })
		n := 0
		result, err := s.Read(t.Context(), "", func(r source.Record) error {
			if r.Key == "" || r.Where == "" {
				t.Errorf("a record without a key: %+v", r)
			}
			n++
			return nil
		})
		if err != nil && fault.Of(err).Reason == fault.Unexpected {
			t.Errorf("an error without a reason: %v", err)
		}
		if lines := bytes.Count(text, []byte("\n")) + bytes.Count(text, []byte("\r")) + 1; n+len(result.Refused) > lines {
			t.Errorf("%d lines make %d records and %d refusals", lines, n, len(result.Refused))
		}
	})
}
