package csvsource

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// lines are the rows of a file as text. A row in which a quotation mark is open goes on
// in the next line of the file.
type lines struct {
	in   *bufio.Reader
	end  byte // of a line: \n, or \r in files of old machines
	line int  // number of the last line that was read
	// ahead are lines that were read while looking for a closing quotation mark.
	ahead []string
}

// longestRow is how many lines of the file one row may span.
const longestRow = 50

// errLineEndless: a file without ends of lines is no table.
var errLineEndless = errors.New("a line has more than a million characters")

// newLines recognises how a file is encoded. Without a mark and without being told, the
// bytes stay as they are: each value is UTF-8 or else Windows-1252, as the mapping reads
// it, so that a file that was put together from two of them is read as well.
func newLines(f io.Reader, encoding string) (*lines, error) {
	in := buffer(f)
	begin, err := in.Peek(buffered)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(begin, []byte("\xef\xbb\xbf")):
		in.Discard(3) // it was peeked
	case bytes.HasPrefix(begin, []byte("\xff\xfe")), bytes.HasPrefix(begin, []byte("\xfe\xff")):
		in = buffer(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Reader(in))
	case encoding == "windows-1252":
		in = buffer(charmap.Windows1252.NewDecoder().Reader(in))
	case bytes.IndexByte(begin, 0) >= 0:
		return nil, errors.New("it is no text; export it as CSV")
	}
	if begin, err = in.Peek(buffered); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	l := &lines{in: in, end: '\n'}
	if bytes.IndexByte(begin, '\n') < 0 && bytes.IndexByte(begin, '\r') >= 0 {
		l.end = '\r'
	}
	return l, nil
}

// brokenLine is a line that is no row.
type brokenLine struct{ text string }

func (b *brokenLine) Error() string { return b.text }

// next is the next row, and the line on which it begins. A row over several lines must
// have as many cells as there are columns: otherwise its quotation mark was closed by
// that of another row. Then, as when it is never closed, its first line is a *brokenLine,
// and the others are read by themselves.
func (l *lines) next(separator rune, columns int) (string, int, error) {
	text, err := l.physical()
	if err != nil {
		return "", l.line, err
	}
	begin := l.line
	if separator == 0 || !open(text, separator) {
		return text, begin, nil
	}
	row := text
	var tried []string
	for len(tried) < longestRow {
		more, err := l.physical()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", begin, err
		}
		tried = append(tried, more)
		row += "\n" + more
		if open(row, separator) {
			continue
		}
		if len(split(row, separator)) == columns {
			return row, begin, nil
		}
		break
	}
	l.ahead = append(tried, l.ahead...)
	l.line = begin
	return "", begin, &brokenLine{fmt.Sprintf("the quotation mark is not closed: %.60q", text)}
}

// physical is the next line of the file.
func (l *lines) physical() (string, error) {
	if len(l.ahead) > 0 {
		text := l.ahead[0]
		l.ahead = l.ahead[1:]
		l.line++
		return text, nil
	}
	bytes, err := l.in.ReadSlice(l.end)
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", errLineEndless
	case errors.Is(err, io.EOF) && len(bytes) > 0: // the last line need not end
	case err != nil:
		return "", err
	}
	l.line++
	return strings.TrimRight(string(bytes), "\r\n"), nil
}

// cells walks over the cells of a row (RFC 4180), and reports whether the last one is
// quoted and not closed. A quotation mark within a cell that does not begin with one
// stands for itself.
func cells(row string, separator rune, each func(string)) (unclosed bool) {
	mark := string(separator)
	for {
		rest := strings.TrimLeft(row, " ")
		if !strings.HasPrefix(rest, `"`) {
			cell, after, more := strings.Cut(row, mark)
			each(cell)
			if !more {
				return false
			}
			row = after
			continue
		}
		var b strings.Builder
		row = rest[1:]
		for {
			i := strings.IndexByte(row, '"')
			if i < 0 {
				b.WriteString(row)
				each(b.String())
				return true
			}
			b.WriteString(row[:i])
			row = row[i+1:]
			if !strings.HasPrefix(row, `"`) {
				break
			}
			b.WriteByte('"')
			row = row[1:]
		}
		tail, after, more := strings.Cut(row, mark) // what follows the closing mark belongs to the cell
		each(b.String() + strings.TrimRight(tail, " "))
		if !more {
			return false
		}
		row = after
	}
}

func split(row string, separator rune) (list []string) {
	cells(row, separator, func(c string) { list = append(list, c) })
	return list
}

func open(row string, separator rune) bool {
	return strings.Contains(row, `"`) && cells(row, separator, func(string) {})
}
