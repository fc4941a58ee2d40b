package architecture

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mapFile holds the map: its first fenced block, one folder a line.
const mapFile = "docs/ARCHITECTURE.md"

func TestTheMapListsTheFoldersThatExist(t *testing.T) {
	drawn := foldersOf(mapBlock(read(t, mapFile)))
	exist := folders(files(t))
	for _, folder := range wanted(exist) {
		if !slices.Contains(drawn, folder) {
			t.Errorf("%s exists, but the map in %s does not show it: add a line `%s/  what it is for`", folder, mapFile, folder)
		}
	}
	for _, folder := range drawn {
		if !slices.Contains(exist, folder) {
			t.Errorf("the map in %s shows %s, which does not exist: take the line away", mapFile, folder)
		}
	}
}

func TestReadingTheMap(t *testing.T) {
	block := mapBlock("# House\n\n```\ncmd/amphi/        the program\ninternal/ui/      the look\n  more about it\n\ndocs/\n```\n```\nnot/this/\n```\n")
	if got, want := foldersOf(block), []string{"cmd/amphi", "internal/ui", "docs"}; !slices.Equal(got, want) {
		t.Errorf("the map shows %q, it should show %q", got, want)
	}
}

var fence = regexp.MustCompile("(?s)```[a-z]*\n(.*?)\n```")

// mapBlock is the first fenced block of a document.
func mapBlock(document string) string {
	found := fence.FindStringSubmatch(document)
	if found == nil {
		return ""
	}
	return found[1]
}

// foldersOf reads the lines that begin with a folder, written with a slash at
// its end; other lines are explanations.
func foldersOf(block string) []string {
	var found []string
	for line := range strings.Lines(block) {
		first, _, _ := strings.Cut(strings.TrimRight(line, "\n"), " ")
		if folder, ok := strings.CutSuffix(first, "/"); ok {
			found = append(found, folder)
		}
	}
	return found
}

// folders are all folders that hold files, however deep.
func folders(files []string) []string {
	var found []string
	for _, name := range files {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if !slices.Contains(found, dir) {
				found = append(found, dir)
			}
		}
	}
	slices.Sort(found)
	return found
}

// owed are the folders that the map owes its readers: the top ones, each
// floor's rooms and tools, and the alcoves of rooms.
var owed = []string{"*", "cmd/*", "internal/*", "internal/modules/*", "internal/modules/*/*", "internal/platform/*"}

// stairs say nothing that the folders in them do not.
var stairs = []string{"cmd", "internal", "internal/modules", "internal/platform"}

// furniture is what every room and tool may have, the same everywhere.
var furniture = []string{"internal", "locales", "migrations", "testdata"}

func wanted(exist []string) []string {
	var found []string
	for _, folder := range exist {
		if strings.HasPrefix(folder, ".") || slices.Contains(stairs, folder) || slices.Contains(furniture, path.Base(folder)) {
			continue
		}
		if slices.ContainsFunc(owed, func(pattern string) bool { ok, err := path.Match(pattern, folder); return ok && err == nil }) {
			found = append(found, folder)
		}
	}
	return found
}
