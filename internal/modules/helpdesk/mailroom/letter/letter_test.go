package letter_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom/letter"
)

// expected is what the file beside a mail says of it. What it leaves out is not
// looked at.
type expected struct {
	Kind       letter.Kind `json:"kind"`
	Answer     *bool       `json:"answer"`
	MessageID  string      `json:"message_id"`
	References []string    `json:"references"`
	From       string      `json:"from"`
	Author     string      `json:"author"`
	Name       string      `json:"name"`
	Subject    string      `json:"subject"`
	Text       *string     `json:"text"`
	Says       []string    `json:"says"`
	Folds      []string    `json:"folds"`
	Not        []string    `json:"not"` // stands neither in the text nor in what is folded
	Files      []string    `json:"files"`
	Failed     string      `json:"failed"`
	Again      bool        `json:"again"`
}

func TestEachAwkwardMailIsReadAsItsFileSays(t *testing.T) {
	mails, err := filepath.Glob("testdata/*.eml")
	if err != nil || len(mails) < 20 {
		t.Fatalf("%d mails, %v", len(mails), err)
	}
	for _, file := range mails {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".eml"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			outcome, err := os.ReadFile(strings.TrimSuffix(file, ".eml") + ".json")
			if err != nil {
				t.Fatal(err)
			}
			var want expected
			d := json.NewDecoder(bytes.NewReader(outcome))
			d.DisallowUnknownFields()
			if err := d.Decode(&want); err != nil {
				t.Fatal(err)
			}
			l, err := letter.Read(bytes.NewReader(raw), 30<<20)
			if err != nil {
				t.Fatal(err)
			}
			check(t, l, want)
		})
	}
}

func check(t *testing.T, l *letter.Letter, want expected) {
	same := func(what, got, wanted string) {
		if wanted != "" && got != wanted {
			t.Errorf("%s is %q, not %q", what, got, wanted)
		}
	}
	same("kind", string(l.Kind), string(want.Kind))
	same("message id", l.MessageID, want.MessageID)
	same("references", strings.Join(l.References, " "), strings.Join(want.References, " "))
	same("from", l.From.Address, want.From)
	same("author", l.Author.Address, want.Author)
	same("name", l.Author.Name, want.Name)
	same("subject", l.Subject, want.Subject)
	same("failed", l.Failed, want.Failed)
	if l.Again != want.Again {
		t.Errorf("again is %v", l.Again)
	}
	if want.Answer != nil && l.MayAnswer() != *want.Answer {
		t.Errorf("may be answered: %v", l.MayAnswer())
	}
	if want.Text != nil && l.Text != *want.Text {
		t.Errorf("says %q, not %q", l.Text, *want.Text)
	}
	for _, piece := range want.Says {
		if !strings.Contains(l.Text, piece) {
			t.Errorf("%q is not said in %q", piece, l.Text)
		}
	}
	for _, piece := range want.Folds {
		if strings.Contains(l.Text, piece) || !strings.Contains(l.Folded, piece) {
			t.Errorf("%q is not folded: text %q, folded %q", piece, l.Text, l.Folded)
		}
	}
	for _, piece := range want.Not {
		if strings.Contains(l.Text, piece) || strings.Contains(l.Folded, piece) {
			t.Errorf("%q stands in %q, %q", piece, l.Text, l.Folded)
		}
	}
	if want.Files != nil {
		var names []string
		for _, f := range l.Files {
			names = append(names, f.Name)
		}
		same("files", strings.Join(names, ", "), strings.Join(want.Files, ", "))
	}
}

func FuzzReadNeverPanicsAndStaysSmall(f *testing.F) {
	mails, _ := filepath.Glob("testdata/*.eml")
	for _, file := range mails {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := letter.Read(bytes.NewReader(raw), 1<<20)
		if err != nil {
			return
		}
		if len(l.Text)+len(l.Folded) > 500<<10 || len(l.Files) > 40 || strings.ContainsAny(l.Subject, "\r\n") {
			t.Errorf("text %d, folded %d, files %d, subject %q", len(l.Text), len(l.Folded), len(l.Files), l.Subject)
		}
	})
}

func TestAChainOfEnclosedMailsEnds(t *testing.T) {
	raw := strings.Repeat("Content-Type: message/rfc822\r\n\r\n", 1000) + strings.Repeat("x", 1<<20)
	l, err := letter.Read(strings.NewReader(raw), 30<<20)
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, f := range l.Files {
		total += len(f.Data)
	}
	if total > 8<<20 { // each level is kept once
		t.Errorf("%d files hold %d bytes", len(l.Files), total)
	}
}

// Comparing each with all the others would take minutes.
func TestOfAMailToThirtyThousandOnlySoManyAreRead(t *testing.T) {
	var to, refers strings.Builder
	for i := range 30_000 {
		fmt.Fprintf(&to, "p%05d@a.example,\r\n ", i)
	}
	for i := range 15_000 {
		fmt.Fprintf(&refers, "<m%05d@a.example>\r\n ", i)
	}
	l, err := letter.Read(strings.NewReader("From: a@a.example\r\nTo: "+to.String()+"last@a.example\r\nReferences: "+refers.String()+"<last@a.example>\r\n\r\nBonjour\r\n"), 30<<20)
	if err != nil {
		t.Fatal(err)
	}
	if len(l.To) != 200 || l.To[0] != "p00000@a.example" {
		t.Errorf("%d addresses were read", len(l.To))
	}
	if len(l.References) != 50 || l.References[49] != "last@a.example" || l.Text != "Bonjour" {
		t.Errorf("%d mails before it were read, %q", len(l.References), l.Text)
	}
}
