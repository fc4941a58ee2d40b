package db

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// sqliteTypes are the PostgreSQL words of our migrations in SQLite's STRICT
// tables, which know five types and refuse a value of another one.
var sqliteTypes = map[string]string{
	"BIGINT":   "INTEGER",
	"SMALLINT": "INTEGER",
	"BOOLEAN":  "INTEGER",
	"BYTEA":    "BLOB",
}

// sqliteDDL rewrites a migration from PostgreSQL's words to SQLite's: types by
// the table above, DOUBLE PRECISION to REAL, no COLLATE "C" (SQLite compares
// bytes anyway), and STRICT at the end of every CREATE TABLE. Strings, quoted
// names and comments stay as they are.
func sqliteDDL(text string) string {
	var out strings.Builder
	tokens := ddlTokens(text)
	table := tableNone
	depth := 0
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		word := strings.ToUpper(t)
		switch {
		case word == "COLLATE" && nextWord(tokens, i) == `"C"`:
			i = nextIndex(tokens, i)
			trimSpaceBefore(&out)
			continue
		case word == "DOUBLE" && strings.ToUpper(nextWord(tokens, i)) == "PRECISION":
			i = nextIndex(tokens, i)
			t = "REAL"
		case sqliteTypes[word] != "":
			t = sqliteTypes[word]
		case word == "CREATE" && depth == 0:
			table = tableCreate
		case word == "TABLE" && table == tableCreate:
			table = tableNamed
		case word == "INDEX" || word == "VIEW" || word == "TRIGGER" || word == "VIRTUAL":
			if table == tableCreate {
				table = tableNone
			}
		case t == "(":
			depth++
		case t == ")":
			depth--
			if depth == 0 && table == tableNamed {
				t, table = ") STRICT", tableDone
				if after := nextWord(tokens, i); after != "" && after != ";" {
					t += "," // WITHOUT ROWID follows
				}
			}
		case t == ";":
			depth, table = 0, tableNone
		case word == "AS" && depth == 0 && table == tableNamed:
			table = tableNone // CREATE TABLE … AS SELECT takes no options
		}
		out.WriteString(t)
	}
	return out.String()
}

// Where sqliteDDL is in a CREATE TABLE statement.
const (
	tableNone = iota
	tableCreate
	tableNamed
	tableDone
)

// ddlTokens cuts SQL into words, quoted pieces, comments, white space and
// single signs; joined, they are the text again.
func ddlTokens(text string) []string {
	var tokens []string
	for len(text) > 0 {
		n := tokenLength(text)
		tokens = append(tokens, text[:n])
		text = text[n:]
	}
	return tokens
}

func tokenLength(text string) int {
	switch {
	case strings.HasPrefix(text, "--"):
		return upTo(text, "\n", 0)
	case strings.HasPrefix(text, "/*"):
		return upTo(text, "*/", 2)
	case text[0] == '\'' || text[0] == '"':
		return upTo(text, text[:1], 1) // a doubled quote makes two pieces, which is just as well
	}
	first, size := utf8.DecodeRuneInString(text)
	class := runeClass(first)
	if class == signRune {
		return size
	}
	for n := size; n < len(text); {
		r, size := utf8.DecodeRuneInString(text[n:])
		if runeClass(r) != class {
			return n
		}
		n += size
	}
	return len(text)
}

// upTo is the length of text up to and with the next end, looked for after
// the first skip bytes; a piece that never ends takes the rest.
func upTo(text, end string, skip int) int {
	i := strings.Index(text[skip:], end)
	if i < 0 {
		return len(text)
	}
	return skip + i + len(end)
}

const (
	signRune = iota
	spaceRune
	wordRune
)

func runeClass(r rune) int {
	switch {
	case unicode.IsSpace(r):
		return spaceRune
	case r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
		return wordRune
	}
	return signRune
}

// nextIndex is the index of the next token that is neither white space nor a
// comment, or the last one.
func nextIndex(tokens []string, i int) int {
	for i++; i < len(tokens); i++ {
		t := tokens[i]
		if strings.TrimSpace(t) != "" && !strings.HasPrefix(t, "--") && !strings.HasPrefix(t, "/*") {
			return i
		}
	}
	return len(tokens) - 1
}

func nextWord(tokens []string, i int) string {
	n := nextIndex(tokens, i)
	if n <= i || strings.TrimSpace(tokens[n]) == "" || strings.HasPrefix(tokens[n], "--") || strings.HasPrefix(tokens[n], "/*") {
		return ""
	}
	return tokens[n]
}

// trimSpaceBefore takes the blank before a dropped word away.
func trimSpaceBefore(b *strings.Builder) {
	s := strings.TrimRight(b.String(), " \t")
	b.Reset()
	b.WriteString(s)
}
