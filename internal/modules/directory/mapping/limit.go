package mapping

import (
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// limit takes out of a person what the configuration does not let the source say: kinds of
// affiliation, campuses, domains of addresses. Whoever has no affiliation left is refused
// as a whole, so that nobody is enrolled by mistake or loses what they had; and so is
// everything outside that a program pushes, because it is there to be told.
func (w *work) limit() {
	values := w.entry.Values
	for _, f := range []Field{contract.FieldMail, FieldLoginDomain} {
		_, domain, isAddress := strings.Cut(values.One(f), "@")
		if f == FieldLoginDomain {
			domain = values.One(f)
		}
		if (isAddress || f == FieldLoginDomain) && domain != "" && !w.config.AllowsDomain(domain) {
			w.outside(f, DomainNotAllowed, domain)
			delete(values, f)
		}
	}
	ties := values[contract.FieldAffiliations]
	kept := slices.DeleteFunc(slices.Clone(ties), func(text string) bool {
		a, ok := ParseAffiliation(text)
		switch {
		case !ok:
			return false
		case !w.config.AllowsKind(a.Kind):
			w.outside(contract.FieldAffiliations, KindNotAllowed, string(a.Kind))
		case !w.config.AllowsCampus(a.Campus):
			w.outside(contract.FieldAffiliations, CampusNotAllowed, a.Campus)
		default:
			return false
		}
		return true
	})
	if len(kept) == len(ties) {
		return
	}
	values[contract.FieldAffiliations] = kept
	if len(kept) == 0 {
		w.refuseAll()
		return
	}
	values[contract.FieldUntil] = slices.DeleteFunc(slices.Clone(values[contract.FieldUntil]), func(text string) bool {
		kind, _, _ := strings.Cut(text, separator)
		return !w.config.AllowsKind(campus.Kind(kind))
	})
}

// outside refuses a value; all of a record that is pushed.
func (w *work) outside(f Field, r *fault.Reason, value string) {
	w.refuse(f, r.With(fault.Args{"field": string(f), "value": value, "source": w.config.ID}))
	if w.config.Pushed() {
		w.refuseAll()
	}
}

// refuseAll makes the last refusal one of the whole record.
func (w *work) refuseAll() {
	w.entry.Refused = true
	w.refused[len(w.refused)-1].Field = ""
}
