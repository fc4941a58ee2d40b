package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/attached"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// File is a file beside a message.
type File struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Type     string    `json:"type,omitempty"`
	Size     int64     `json:"size"` // bytes
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Internal bool      `json:"internal,omitempty"`
	// Refused is the reason code of why it was not kept; such a file cannot be read.
	Refused string `json:"refused,omitempty"`
}

// FileList is all files of a ticket, the oldest first.
type FileList struct {
	Items []File `json:"items"`
}

// Upload is a form (multipart/form-data) with files, and what to say beside them.
type Upload struct {
	File     []string `json:"file"` // up to attached.MaxFiles of them
	Body     string   `json:"body,omitempty"`
	Internal bool     `json:"internal,omitempty"`
}

// readable is what a program asks to read of a ticket: with internal=1 also what
// agents say among themselves.
func (a *API) readable(v visit, t ticket.Ticket) (ticket.Thread, error) {
	thread, err := a.Tickets.Thread(v.Context(), t.ID)
	if err == nil && v.URL.Query().Get("internal") != "1" {
		thread = thread.Public()
	}
	return thread, err
}

func (a *API) files(w http.ResponseWriter, v visit) error {
	t, err := a.find(v)
	if err != nil {
		return err
	}
	thread, err := a.readable(v, t)
	if err != nil {
		return err
	}
	out := FileList{Items: []File{}}
	for _, m := range thread.Messages {
		for _, f := range m.Files {
			out.Items = append(out.Items, File{f.ID, f.Name, f.MediaType, f.Size, m.At.UTC(), string(m.By.Role), m.Internal, f.Refused})
		}
	}
	return send(w, http.StatusOK, out)
}

// file sends one as it was kept. The browser of whoever holds the token runs nothing
// of it: see [attached.Attached.Serve].
func (a *API) file(w http.ResponseWriter, v visit) error {
	t, err := a.find(v)
	if err != nil {
		return err
	}
	thread, err := a.readable(v, t)
	if err != nil {
		return err
	}
	for _, m := range thread.Messages {
		for _, f := range m.Files {
			if f.ID == v.PathValue("file") {
				return a.Attached.Serve(w, v.Request, f)
			}
		}
	}
	return ticket.Missing
}

// upload says something with files beside it. The files are looked at as those of
// people are; when none of them can be kept, nothing changes.
func (a *API) upload(w http.ResponseWriter, v visit) error {
	if _, err := a.find(v); err != nil { // nothing is taken in for a ticket that is out of reach
		return err
	}
	form, err := web.Form(v.Request)
	if err != nil {
		return err
	}
	if v.MultipartForm == nil || len(v.MultipartForm.File["file"]) == 0 {
		return Unfit.With(fault.Args{"field": "file"})
	}
	if len(form.Get("body")) > longestBody {
		return Unfit.With(fault.Args{"field": "body"})
	}
	taken, err := a.Attached.FromForm(v.Request, "file")
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(taken, func(f ticket.Attachment) bool { return f.Ref != "" }) {
		why := ""
		if len(taken) > 0 {
			why = taken[0].Refused
		}
		return FileRefused.With(fault.Args{"reason": why})
	}
	internal := form.Get("internal") == "1" || form.Get("internal") == "true"
	err = a.alter(w, v, http.StatusCreated, func(work *ticket.Work) error {
		m := ticket.Message{Body: strings.TrimSpace(form.Get("body")), Channel: ticket.ByAPI, Files: slices.Clone(taken)}
		if internal {
			work.Note(m)
		} else {
			work.Say(m)
		}
		return nil
	})
	if err != nil { // what a message names meanwhile stays
		return errors.Join(err, a.Attached.Drop(context.WithoutCancel(v.Context()), taken))
	}
	return nil
}

// largestUpload bounds a form with files, in bytes.
const largestUpload = attached.MaxBody
