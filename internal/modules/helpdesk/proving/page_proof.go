package proving

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/proving/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// codeField is the field into which the code is typed.
const codeField = "code"

// proofView is the page on which the code is typed.
type proofView struct {
	To       contract.Contact
	Problems web.Problems
}

func (p *Proving) page(w http.ResponseWriter, r *http.Request) error {
	_, d, err := p.waiting(r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, proofTempl(proofView{To: d.To}))
}

// check compares the code, and goes on with what was begun when it is right.
func (p *Proving) check(w http.ResponseWriter, r *http.Request) error {
	row, d, err := p.waiting(r)
	if err != nil {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	view := proofView{To: d.To}
	typed := strings.TrimSpace(values.Get(codeField))
	if typed == "" {
		view.Problems.Add(codeField, "helpdesk.proof.code_missing")
		return web.Render(w, r, http.StatusUnprocessableEntity, proofTempl(view))
	}
	if err := p.Proofs.CheckProof(ctx, row.ID, typed); err != nil {
		return p.refused(w, r, view, err)
	}
	whose, err := p.Proofs.WhoseContact(ctx, d.To)
	if err != nil {
		return err
	}
	do := p.purposes[row.Purpose]
	if do == nil {
		return Over
	}
	var to string
	var tickets []string
	if err := p.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).TakeDraft(ctx, row.ID)
		if err != nil {
			return err
		}
		if n == 0 { // another tab was quicker
			return Over
		}
		to, tickets, err = do(ctx, tx, Proved{Contact: d.To, Person: whose, Begun: d.Begun})
		return err
	}); err != nil {
		return err
	}
	web.SetCookie(w, r, draftCookie, "", -1)
	if err := p.Grant(w, r, tickets...); err != nil {
		return err
	}
	return web.SeeOther(w, r, to)
}

// again sends another code.
func (p *Proving) again(w http.ResponseWriter, r *http.Request) error {
	row, d, err := p.waiting(r)
	if err != nil {
		return err
	}
	if err := p.DB.InTx(r.Context(), func(tx db.Tx) error { return p.send(r, tx, row.ID, d) }); err != nil {
		return p.refused(w, r, proofView{To: d.To}, err)
	}
	web.Flash(w, r, "helpdesk.proof.sent_again")
	return web.SeeOther(w, r, URL)
}

// refused shows at the field what a code was refused for.
func (p *Proving) refused(w http.ResponseWriter, r *http.Request, view proofView, err error) error {
	var f *fault.Fault
	var reason *fault.Reason
	if !errors.As(err, &f) && errors.As(err, &reason) {
		f = &fault.Fault{Reason: reason}
	}
	if f == nil || f.Reason.Kind() == fault.Broken {
		return err
	}
	web.Note(r, f)
	view.Problems.Add(codeField, f.Reason.Code()+".message", web.Pairs(f.Args)...)
	return web.Render(w, r, f.Reason.Kind().Status(), proofTempl(view))
}

func (v proofView) lead(ctx context.Context) string {
	if v.To.Phone {
		return i18n.T(ctx, "helpdesk.proof.lead_phone", "to", v.To.Masked)
	}
	return i18n.T(ctx, "helpdesk.proof.lead_mail", "to", v.To.Masked)
}
