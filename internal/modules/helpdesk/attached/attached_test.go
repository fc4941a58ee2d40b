package attached_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/attached"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// shelf is the alcove with a store of its own.
func shelf(t *testing.T, x *tickettest.Desk) *attached.Attached {
	t.Helper()
	store, err := files.Disk(t.TempDir(), 100<<20)
	if err != nil {
		t.Fatal(err)
	}
	return &attached.Attached{DB: x.DB, Files: store, Tickets: x.Tickets}
}

// kept counts what the store holds.
func kept(t *testing.T, a *attached.Attached) (n int) {
	t.Helper()
	if err := a.Files.Walk(t.Context(), func(files.Ref, files.Meta) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

func zipped(t *testing.T, entries map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, content := range entries {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// many is an archive of so many empty files.
func many(t *testing.T, n int) []byte {
	entries := map[string][]byte{}
	for i := range n {
		entries[fmt.Sprintf("%d.txt", i)] = nil
	}
	return zipped(t, entries)
}

// photo is a picture with a comment and a place behind its pixels, as a telephone
// writes them.
func photo(t *testing.T) []byte {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 40, 30))
	for i := range 40 {
		picture.Set(i, i%30, color.RGBA{200, 30, 30, 255})
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture, nil); err != nil {
		t.Fatal(err)
	}
	secret := []byte("GPS 48.8566 2.3522 <script>alert(1)</script>")
	segment := append([]byte{0xff, 0xfe}, binary.BigEndian.AppendUint16(nil, uint16(len(secret)+2))...)
	b := out.Bytes()
	return append(append(append([]byte{}, b[:2]...), append(segment, secret...)...), b[2:]...)
}

// hugePicture is a PNG of a few bytes that claims 60,000 by 60,000 pixels.
func hugePicture() []byte {
	header := []byte("IHDR")
	header = binary.BigEndian.AppendUint32(header, 60000)
	header = binary.BigEndian.AppendUint32(header, 60000)
	header = append(header, 8, 2, 0, 0, 0)
	out := []byte("\x89PNG\r\n\x1a\n")
	out = binary.BigEndian.AppendUint32(out, 13)
	out = append(out, header...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(header))
}

func TestAFileIsWhatItsContentIs(t *testing.T) {
	tests := map[string]struct {
		name    string
		content []byte
		as      string // media type
		called  string
		refused string
	}{
		"a text":                                             {"erreur.log", []byte("Erreur 500\n"), "text/plain; charset=utf-8", "erreur.log", ""},
		"a file without an ending":                           {"README", []byte("bonjour"), "text/plain; charset=utf-8", "README", ""},
		"a document of an office program":                    {"cours.docx", zipped(t, map[string][]byte{"word/document.xml": []byte("<w/>")}), "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "cours.docx", ""},
		"a page with a script is bytes":                      {"page.html", []byte("<html><script>alert(1)</script>"), "application/octet-stream", "page.html", ""},
		"a page that says it is a text":                      {"page.txt", []byte("<html><script>alert(1)</script>"), "application/octet-stream", "page.txt", ""},
		"a drawing with a script is bytes":                   {"logo.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), "application/octet-stream", "logo.svg", ""},
		"a drawing that declares itself":                     {"logo.svg", []byte(`<?xml version="1.0"?><svg onload="alert(1)"/>`), "application/octet-stream", "logo.svg", ""},
		"a name that climbs":                                 {`..\..\etc/passwd.txt`, []byte("x"), "text/plain; charset=utf-8", "passwd.txt", ""},
		"a name that turns round":                            {"facture\u202efdp.txt", []byte("x"), "text/plain; charset=utf-8", "facturefdp.txt", ""},
		"a photo is drawn again":                             {"IMG_1.JPEG", photo(t), "image/jpeg", "IMG_1.jpg", ""},
		"a photo without an ending":                          {"photo", photo(t), "image/jpeg", "photo.jpg", ""},
		"a harmless archive":                                 {"logs.zip", zipped(t, map[string][]byte{"a.log": []byte("a")}), "application/octet-stream", "logs.zip", ""},
		"no bytes":                                           {"vide.txt", nil, "", "vide.txt", "helpdesk.file_empty"},
		"one byte too many":                                  {"grand.bin", make([]byte, attached.MaxFile+1), "", "grand.bin", "helpdesk.file_too_large"},
		"a program of Windows":                               {"setup.exe", []byte("MZ\x90"), "", "setup.exe", "helpdesk.file_executable"},
		"a program that calls itself a picture":              {"photo.jpg", []byte("MZ\x90\x00"), "", "photo.jpg", "helpdesk.file_executable"},
		"a program of Linux without an ending":               {"outil", []byte("\x7fELF\x02"), "", "outil", "helpdesk.file_executable"},
		"a program whose name ends in spaces and dots":       {"setup.exe . .", []byte("x"), "", "setup.exe . .", "helpdesk.file_executable"},
		"a script with two endings":                          {"facture.pdf.js", []byte("x"), "", "facture.pdf.js", "helpdesk.file_executable"},
		"an archive with a program":                          {"a.zip", zipped(t, map[string][]byte{"x/setup.EXE": []byte("x")}), "", "a.zip", "helpdesk.file_executable"},
		"an archive in an archive":                           {"a.zip", zipped(t, map[string][]byte{"b.zip": zipped(t, nil)}), "", "a.zip", "helpdesk.file_nested"},
		"an archive that explodes":                           {"a.zip", zipped(t, map[string][]byte{"a.bin": make([]byte, 60<<20)}), "", "a.zip", "helpdesk.file_explodes"},
		"an archive that explodes and looks like a document": {"a.docx", zipped(t, map[string][]byte{"a.xml": make([]byte, 60<<20)}), "", "a.docx", "helpdesk.file_explodes"},
		"an archive of ten thousand files":                   {"a.zip", many(t, 10_000), "", "a.zip", "helpdesk.file_explodes"},
		"an archive without a directory":                     {"a.zip", []byte("PK\x03\x04 and no more"), "", "a.zip", "helpdesk.file_explodes"},
		"a picture that is none":                             {"a.png", []byte("\x89PNG\r\n\x1a\nno"), "", "a.png", "helpdesk.file_picture_broken"},
		"a picture of more pixels than memory":               {"a.png", hugePicture(), "", "a.png", "helpdesk.file_picture_broken"},
	}
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		a := shelf(t, x)
		for name, test := range tests {
			t.Run(name, func(t *testing.T) {
				before := kept(t, a)
				got, err := a.Take(t.Context(), bytes.NewReader(test.content), test.name)
				if err != nil {
					t.Fatal(err)
				}
				if got.Refused != test.refused || got.MediaType != test.as || got.Name != test.called {
					t.Errorf("kept as %q (%s), refused %q", got.Name, got.MediaType, got.Refused)
				}
				if stays := kept(t, a) > before; stays != (test.refused == "") || stays != (got.Ref != "") {
					t.Errorf("in the store: %t, ref %q", stays, got.Ref)
				}
			})
		}
	})
}

func TestAPhotoLosesWhatItSaysBesideItsPixels(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		a := shelf(t, x)
		f, err := a.Take(t.Context(), bytes.NewReader(photo(t)), "p.jpg")
		if err != nil {
			t.Fatal(err)
		}
		stored, _, err := a.Files.Open(t.Context(), files.Ref(f.Ref))
		if err != nil {
			t.Fatal(err)
		}
		defer stored.Close()
		content, err := io.ReadAll(stored)
		if err != nil || bytes.Contains(content, []byte("GPS")) || bytes.Contains(content, []byte("script")) {
			t.Errorf("the place is still there (%v)", err)
		}
	})
}

func TestAMessageBringsSoManyFilesAndBytes(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		a := shelf(t, x)
		p := a.Parcel()
		for i := range 10_000 {
			if err := p.Add(t.Context(), strings.NewReader("x"), fmt.Sprintf("%d.txt", i)); err != nil {
				t.Fatal(err)
			}
		}
		if list := p.Files(); len(list) != attached.MaxFiles+1 || list[attached.MaxFiles].Refused != "helpdesk.files_too_many" || kept(t, a) != attached.MaxFiles {
			t.Errorf("%d lines, %d files", len(list), kept(t, a))
		}
		p = a.Parcel()
		for range 4 {
			if err := p.Add(t.Context(), bytes.NewReader(bytes.Repeat([]byte("a"), 9<<20)), "a.txt"); err != nil {
				t.Fatal(err)
			}
		}
		if list := p.Files(); list[2].Refused != "" || list[3].Refused != "helpdesk.files_too_large" {
			t.Errorf("the fourth file of 9 MB: %q", list[3].Refused)
		}
	})
}

// beside puts files beside a message of a ticket.
func beside(x *tickettest.Desk, tick ticket.Ticket, by ticket.Actor, internal bool, list ...ticket.Attachment) ticket.Ticket {
	return x.Change(tick, by, func(w *ticket.Work) error {
		m := ticket.Message{Body: "voir", Files: append([]ticket.Attachment{}, list...)}
		if internal {
			w.Note(m)
		} else {
			w.Say(m)
		}
		return nil
	})
}

func TestFilesAreServedToWhoMayReadTheTicket(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		a := shelf(t, x)
		lina, sam := campustest.Lina(), campustest.Sam()
		page, err := a.Take(t.Context(), strings.NewReader("<html><script>alert(1)</script>"), "page.html")
		if err != nil {
			t.Fatal(err)
		}
		text, err := a.Take(t.Context(), strings.NewReader("note"), "note.txt")
		if err != nil {
			t.Fatal(err)
		}
		tick := x.Open(lina, "Sujet", "Corps")
		other := x.Open(lina, "Autre", "Corps")
		tick = beside(x, tick, tickettest.By(ticket.Requester, lina), false, page)
		tick = beside(x, tick, tickettest.By(ticket.Agent, sam), true, text)
		thread, err := x.Tickets.Thread(t.Context(), tick.ID)
		if err != nil {
			t.Fatal(err)
		}
		pageID, textID := thread.Messages[1].Files[0].ID, thread.Messages[2].Files[0].ID
		server := x.Serve(func(r *web.Router) {
			a.Routes(r)
			r.Handle("GET /own/{id}", func(w http.ResponseWriter, r *http.Request) error {
				return a.ServePublic(w, r, tick, r.PathValue("id"))
			})
		})
		north := campus.Viewer{Person: "p", Mandates: []campus.Mandate{{Right: campus.RightHelpdesk, Campus: "nord"}}}
		for name, test := range map[string]struct {
			who    campus.Viewer
			path   string
			status int
		}{
			"an agent":                           {sam, "/helpdesk/tickets/" + tick.Number + "/files/" + pageID, http.StatusOK},
			"an agent of another campus":         {north, "/helpdesk/tickets/" + tick.Number + "/files/" + pageID, http.StatusNotFound},
			"a student at the agents' address":   {lina, "/helpdesk/tickets/" + tick.Number + "/files/" + pageID, http.StatusForbidden},
			"a stranger":                         {campus.Viewer{}, "/helpdesk/tickets/" + tick.Number + "/files/" + pageID, http.StatusSeeOther},
			"a file under another ticket":        {sam, "/helpdesk/tickets/" + other.Number + "/files/" + pageID, http.StatusNotFound},
			"the requester's own file":           {lina, "/own/" + pageID, http.StatusOK},
			"the requester and a file of a note": {lina, "/own/" + textID, http.StatusNotFound},
			"an agent and the same file":         {sam, "/helpdesk/tickets/" + tick.Number + "/files/" + textID, http.StatusOK},
			"a file that was never there":        {sam, "/helpdesk/tickets/" + tick.Number + "/files/none", http.StatusNotFound},
		} {
			x.Viewer = test.who
			resp, _ := pagetest.Ask(t, pagetest.Still(), http.MethodGet, server.URL+test.path, nil)
			if resp.StatusCode != test.status {
				t.Errorf("%s: %d", name, resp.StatusCode)
			}
		}
		x.Viewer = sam
		resp, body := pagetest.Ask(t, pagetest.Still(), http.MethodGet, server.URL+"/helpdesk/tickets/"+tick.Number+"/files/"+pageID, nil)
		h := resp.Header
		if h.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") || h.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.Contains(h.Get("Content-Security-Policy"), "sandbox") || !strings.Contains(body, "script") {
			t.Errorf("a page with a script is served as %v", h)
		}
	})
}

func TestFilesThatNothingNamesAreDeletedAfterADay(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		a := shelf(t, x)
		used, err := a.Take(t.Context(), strings.NewReader("one"), "1.txt")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Take(t.Context(), strings.NewReader("two"), "2.txt"); err != nil {
			t.Fatal(err)
		}
		lina := campustest.Lina()
		tick := beside(x, x.Open(lina, "S", "C"), tickettest.By(ticket.Requester, lina), false, used)
		registry := jobs.NewRegistry()
		a.Jobs(registry)
		run := func() {
			t.Helper()
			if err := attached.Sweep(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		if run(); kept(t, a) != 2 {
			t.Errorf("at once, %d files are left", kept(t, a))
		}
		x.Clock.Advance(25 * time.Hour)
		if run(); kept(t, a) != 1 {
			t.Errorf("after a day, %d files are left", kept(t, a))
		}
		copies, err := a.Copy(t.Context(), []ticket.Attachment{used})
		if err != nil || copies[0].Ref == used.Ref || kept(t, a) != 2 {
			t.Fatalf("copied as %v, %v", copies, err)
		}
		if err := a.Drop(t.Context(), copies); err != nil || kept(t, a) != 1 {
			t.Errorf("dropped: %v, %d left", err, kept(t, a))
		}
		if err := a.Drop(t.Context(), []ticket.Attachment{used}); err != nil || kept(t, a) != 1 {
			t.Errorf("a file that a message names was dropped: %v", err)
		}
		erased, err := a.Erase(t.Context(), contract.Traced{ID: tick.Requester})
		if err != nil || kept(t, a) != 0 || len(erased) != 1 || erased[0].Rows != 1 {
			t.Errorf("erased %v, %v, %d left", erased, err, kept(t, a))
		}
	})
}

func TestAFormBringsItsFiles(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		a := shelf(t, x)
		var got []ticket.Attachment
		x.Viewer = campustest.Lina()
		server := x.Serve(func(r *web.Router) {
			r.Handle("POST /send", func(w http.ResponseWriter, r *http.Request) error {
				if _, err := web.Form(r); err != nil {
					return err
				}
				var err error
				got, err = a.FromForm(r, "files")
				return err
			}, web.BodyLimit(attached.MaxBody))
		})
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		for name, content := range map[string]string{"a.txt": "a", "": "", "b.exe": "b"} {
			part, err := form.CreateFormFile("files", name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(part, content); err != nil {
				t.Fatal(err)
			}
		}
		if err := form.Close(); err != nil {
			t.Fatal(err)
		}
		resp, err := http.Post(server.URL+"/send", form.FormDataContentType(), &body)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK || len(got) != 2 || kept(t, a) != 1 {
			t.Errorf("%d: %v", resp.StatusCode, got)
		}
	})
}

func TestEveryQueryPrepares(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", tickettest.Steps()...)
}

var _ contract.Eraser = (*attached.Attached)(nil)
