package letter

import (
	"net/mail"
	"regexp"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Lines behind which a mail is quoted or signed, in the programs and languages that
// people write to us with.
var (
	attribution = regexp.MustCompile(`(?i)^\W{0,3}(le\s.{4,200}\s(a écrit|écrivait)|on\s.{4,200}\swrote|am\s.{4,200}\sschrieb.{0,200}|el\s.{4,200}\sescribió|il\s.{4,200}\sha scritto)\s*:?\W{0,3}$`)
	separator   = regexp.MustCompile(`(?i)^\W{0,6}(-{2,}\s*(message d['’]origine|original message|ursprüngliche nachricht|reply above this line|répondez au-dessus de cette ligne)\s*-{2,}|_{20,})\W{0,6}$`)
	headerFrom  = regexp.MustCompile(`(?i)^\W{0,4}(de|from|von)\s*:\W{0,4}\s*\S`)
	headerSent  = regexp.MustCompile(`(?i)^\W{0,4}(envoyé|date|sent|gesendet|à|to|objet|subject)\s*:`)
	signature   = regexp.MustCompile(`^(-- ?|—|__)$`)
	phone       = regexp.MustCompile(`(?i)^(envoyé (de|depuis) mon|sent from my|télécharger outlook|get outlook for|envoyé à partir de|sent with|obtenir outlook)`)
	forward     = regexp.MustCompile(`(?i)^\W{0,4}-{3,}\s*(forwarded message|message transféré|weitergeleitete nachricht|message réexpédié|begin forwarded message:?)\s*-{0,}\W{0,4}$|^\W{0,3}(début du message (transféré|réexpédié)|begin forwarded message)\s*:?\W{0,3}$`)
	headerLine  = regexp.MustCompile(`^\W{0,4}([\p{L} -]{2,20}?)\s*:\W{0,4}\s*(.*)$`)
	forwardMark = regexp.MustCompile(`(?i)^\s*(tr|fw|fwd|wg|i)\s*:`)
)

// mostTurns is how many beginnings of quotations are looked at: a conversation has few.
const mostTurns = 20

// Fold tells what is new in a text from what was quoted, and from the signature.
// Quotations between which somebody wrote stay where they are.
func Fold(text string) (body, folded string) {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	end, looked := len(lines), 0
	for i, line := range lines {
		if i > 0 && looked < mostTurns && begins(lines, i) {
			if looked++; !answersBelow(lines[i+1:]) {
				end = i
				break
			}
		}
		if signature.MatchString(strings.TrimRight(line, "\r")) && len(lines)-i <= 20 && i > 0 {
			end = i
			break
		}
		if phone.MatchString(strings.TrimSpace(line)) && i > 0 {
			end = i
			break
		}
	}
	// Quoted lines at the end, without a line that announces them.
	last := end
	for last > 0 && (quoted(lines[last-1]) || strings.TrimSpace(lines[last-1]) == "") {
		last--
	}
	if last > 0 && hasQuoted(lines[last:end]) {
		end = last
	}
	body = strings.TrimSpace(strings.Join(lines[:end], "\n"))
	folded = strings.TrimSpace(strings.Join(lines[end:], "\n"))
	if body == "" { // an answer that is all quotation says something, somewhere
		return folded, ""
	}
	return body, folded
}

// begins reports whether a quotation begins at a line. An attribution may go over
// two lines.
func begins(lines []string, i int) bool {
	line := strings.TrimSpace(lines[i])
	if attribution.MatchString(line) || separator.MatchString(line) {
		return true
	}
	if i+1 < len(lines) && len(line) > 3 && attribution.MatchString(line+" "+strings.TrimSpace(lines[i+1])) {
		return true
	}
	if !headerFrom.MatchString(line) {
		return false
	}
	found := 0
	for _, next := range lines[i+1 : min(len(lines), i+9)] {
		if headerSent.MatchString(strings.TrimSpace(next)) {
			found++
		}
	}
	return found >= 2
}

// answersBelow reports whether somebody wrote between the quoted lines: then nothing
// of it is folded.
func answersBelow(lines []string) bool {
	seen, turns := false, 0
	for _, line := range lines {
		switch {
		case quoted(line):
			seen = true
		case strings.TrimSpace(line) == "":
		case signature.MatchString(line), phone.MatchString(strings.TrimSpace(line)):
			return turns > 0
		case seen:
			turns++
		}
	}
	return seen && turns > 0
}

func quoted(line string) bool { return strings.HasPrefix(strings.TrimSpace(line), ">") }

func hasQuoted(lines []string) bool {
	for _, line := range lines {
		if quoted(line) {
			return true
		}
	}
	return false
}

// original is a mail that stands inside the text of another.
type original struct {
	from    mail.Address
	subject string
	body    string
}

// splitForward finds a mail that was forwarded in the text: a line that says so, and
// a header below it.
func splitForward(text string) (before string, o original, ok bool) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if !forward.MatchString(strings.TrimSpace(line)) {
			continue
		}
		before = strings.TrimSpace(strings.Join(lines[:i], "\n"))
		rest := lines[i+1:]
		named := 0
		for len(rest) > 0 {
			field := strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(rest[0]), "> "))
			m := headerLine.FindStringSubmatch(field)
			if field != "" && m == nil || named > 0 && field == "" {
				break
			}
			if m != nil {
				named++
				value := strings.Trim(m[2], " *")
				switch strings.ToLower(strings.TrimSpace(m[1])) {
				case "de", "from", "von":
					o.from = addressIn(value)
				case "objet", "subject", "betreff", "sujet":
					o.subject = value
				}
			}
			rest = rest[1:]
		}
		if named < 2 {
			return "", original{}, false
		}
		o.body = strings.TrimSpace(unquoted(rest))
		return before, o, o.body != ""
	}
	return "", original{}, false
}

// unquoted takes one sign of quotation off, when every line has it.
func unquoted(lines []string) string {
	all := true
	for _, line := range lines {
		all = all && (quoted(line) || strings.TrimSpace(line) == "")
	}
	if !all {
		return strings.Join(lines, "\n")
	}
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(line), ">"), " ")
	}
	return strings.Join(out, "\n")
}

var bare = regexp.MustCompile(`[^\s<>()\[\]"',;:]+@[^\s<>()\[\]"',;:]+\.[\pL]{2,}`)

// addressIn finds an address in what a program wrote of it.
func addressIn(text string) mail.Address {
	if a, err := mail.ParseAddress(text); err == nil {
		return mail.Address{Name: campus.OneLine(a.Name), Address: strings.ToLower(a.Address)}
	}
	found := bare.FindString(text)
	name, _, _ := strings.Cut(text, found)
	if found == "" {
		return mail.Address{}
	}
	return mail.Address{Name: campus.OneLine(strings.Trim(name, ` <>[]()"'*`)), Address: strings.ToLower(found)}
}

// looksForwarded reports whether a mail with another one inside hands that on.
func looksForwarded(subject, text string) bool {
	body, _ := Fold(text)
	return forwardMark.MatchString(subject) || strings.TrimSpace(body) == ""
}
