package hours

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// What is wrong with hours as somebody types them.
var (
	// ErrFrames: they are not written like "9:00-12:30, 13:30-17:00".
	ErrFrames = errors.New("not opening hours")
	// ErrOverlap: two of them overlap, or one ends before it begins.
	ErrOverlap = errors.New("opening hours overlap")
)

// mostFrames is how many times a day a desk can open.
const mostFrames = 8

// oneFrame is the first frame of what is typed, and what separates it from the next.
var oneFrame = regexp.MustCompile(`^(\d{1,2})(?:\s*[:hH]\s*(\d{2})?)?\s*-\s*(\d{1,2})(?:\s*[:hH]\s*(\d{2})?)?(?:[\s,]+|$)`)

// words are the other ways to write a dash, a comma and a space.
var words = strings.NewReplacer("–", "-", "—", "-", "\u202f", " ", "\u00a0", " ", " à ", "-", " to ", "-", " et ", ",", " and ", ",", ";", ",", "/", ",")

// ParseFrames reads the hours of a day: "9:00-12:30, 13:30-17:00", "9h-12h30 14h-17h",
// "8-20". Nothing, or a dash alone, is a day on which the desk stays closed.
func ParseFrames(text string) ([]Frame, error) {
	text = strings.TrimSpace(words.Replace(text))
	if text == "" || text == "-" {
		return nil, nil
	}
	var frames []Frame
	for text != "" {
		m := oneFrame.FindStringSubmatch(text)
		if m == nil || len(frames) == mostFrames {
			return nil, ErrFrames
		}
		text = text[len(m[0]):]
		from, ok := minuteOf(m[1], m[2])
		to, also := minuteOf(m[3], m[4])
		if !ok || !also {
			return nil, ErrFrames
		}
		if to == 0 { // "18:00-00:00" ends with the day
			to = wholeDay
		}
		if from >= to || len(frames) > 0 && from < frames[len(frames)-1].To {
			return nil, ErrOverlap
		}
		frames = append(frames, Frame{from, to})
	}
	return frames, nil
}

// minuteOf is the minute of the day of digits.
func minuteOf(hour, minute string) (int, bool) {
	n, err := strconv.Atoi(hour)
	n *= 60
	m := 0
	if err == nil && minute != "" {
		m, err = strconv.Atoi(minute)
	}
	return n + m, err == nil && m < 60 && n+m <= wholeDay
}

// FormatFrames writes hours as [ParseFrames] reads them: "09:00-12:30, 13:30-17:00".
func FormatFrames(frames []Frame) string {
	parts := make([]string, len(frames))
	for i, f := range frames {
		parts[i] = fmt.Sprintf("%02d:%02d-%02d:%02d", f.From/60, f.From%60, f.To/60, f.To%60)
	}
	return strings.Join(parts, ", ")
}
