package ui

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"
)

// FieldProps describes one field of a form. Its label, help, error and all the
// ARIA between them are made by the component; the error comes from the problems
// of the page, by Name.
type FieldProps struct {
	Name  string
	Label string
	// Help stands below the label, before what is typed.
	Help string
	// Value is what was typed before; a password never comes back.
	Value string
	// Type is the input's type; "text" when empty.
	Type string
	// Autocomplete is a token of HTML's list, such as "username".
	Autocomplete string
	// InputMode chooses the keyboard of a phone, such as "numeric".
	InputMode string
	// Example is shown inside the empty field; never put there what is needed.
	Example string
	// Pattern, Min, Max, Step and MaxLength are those of HTML.
	Pattern, Min, Max, Step string
	MaxLength               int
	// Rows is the height of a [TextArea].
	Rows int
	// Accept and Multiple are for a [File].
	Accept   string
	Multiple bool
	// Optional is said in words; the other fields are asked for.
	Optional bool
	Required bool
	ReadOnly bool
	Disabled bool
	// Autofocus puts the caret here when the page opens and nothing is wrong.
	Autofocus bool
	// Exact turns off capitals, correction and spelling: codes, identifiers.
	Exact bool
	// Short fields are as wide as what goes in them.
	Short bool
	// ID replaces [FieldID] of Name where two forms of one page share a name.
	ID string
	// Attrs are added to the input: hx-get, list and the like.
	Attrs templ.Attributes
}

// Option is one choice of a [Select], [Radios] or [Checks].
type Option struct {
	Value, Label, Help string
	// Group names the optgroup of a Select.
	Group    string
	Disabled bool
}

// ChoiceProps describes a choice among options.
type ChoiceProps struct {
	Name, Label, Help string
	Options           []Option
	// Value is what is chosen; Values are those of [Checks].
	Value  string
	Values []string
	// Blank is the first, empty line of a Select: "Choose…" when it is "…".
	Blank    string
	Optional bool
	Required bool
	ID       string
	Attrs    templ.Attributes
}

// CheckProps describes one box to tick. Value is "on" when empty.
type CheckProps struct {
	Name, Label, Help, Value string
	Checked, Required        bool
	ID                       string
	Attrs                    templ.Attributes
}

// inID are the characters of names that make an id hard to point at. It is made once:
// every field of every page asks.
var inID = strings.NewReplacer(" ", "-", "[", "-", "]", "")

// FieldID is the id of the field with this name, which summaries link to.
func FieldID(name string) string { return "field-" + inID.Replace(name) }

func (p FieldProps) id() string {
	if p.ID != "" {
		return p.ID
	}
	return FieldID(p.Name)
}

func (p ChoiceProps) id() string { return FieldProps{Name: p.Name, ID: p.ID}.id() }
func (p CheckProps) id() string  { return FieldProps{Name: p.Name, ID: p.ID}.id() }

func (p ChoiceProps) chosen(o Option) bool {
	return o.Value == p.Value || slices.Contains(p.Values, o.Value)
}

// optgroup is a run of options under one title.
type optgroup struct {
	title   string
	options []Option
}

func (p ChoiceProps) groups() []optgroup {
	var groups []optgroup
	for _, o := range p.Options {
		if len(groups) == 0 || groups[len(groups)-1].title != o.Group {
			groups = append(groups, optgroup{title: o.Group})
		}
		last := &groups[len(groups)-1]
		last.options = append(last.options, o)
	}
	return groups
}

// described ties an input to its help and its error.
func described(ctx context.Context, id, name, help string) templ.Attributes {
	attrs := templ.Attributes{}
	var by []string
	if help != "" {
		by = append(by, id+"-help")
	}
	if problemOf(ctx, name) != "" {
		by = append(by, id+"-wrong")
		attrs["aria-invalid"] = "true"
	}
	if len(by) > 0 {
		attrs["aria-describedby"] = strings.Join(by, " ")
	}
	return attrs
}

// inputAttributes are those that inputs and text areas share.
func (p FieldProps) inputAttributes(ctx context.Context) templ.Attributes {
	attrs := described(ctx, p.id(), p.Name, p.Help)
	for name, value := range map[string]string{
		"autocomplete": p.Autocomplete, "inputmode": p.InputMode, "placeholder": p.Example,
		"pattern": p.Pattern, "min": p.Min, "max": p.Max, "step": p.Step, "accept": p.Accept,
	} {
		if value != "" {
			attrs[name] = value
		}
	}
	if p.MaxLength > 0 {
		attrs["maxlength"] = strconv.Itoa(p.MaxLength)
	}
	for name, on := range map[string]bool{
		"required": p.Required, "readonly": p.ReadOnly, "disabled": p.Disabled, "multiple": p.Multiple,
		// The summary of what is wrong takes the focus where there is one.
		"autofocus": p.Autofocus && !hasProblems(ctx),
	} {
		if on {
			attrs[name] = true
		}
	}
	if p.Exact {
		attrs["autocapitalize"], attrs["autocorrect"], attrs["spellcheck"] = "none", "off", "false"
	}
	for name, value := range p.Attrs {
		attrs[name] = value
	}
	return attrs
}
