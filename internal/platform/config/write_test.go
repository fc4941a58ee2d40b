package config

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

type written struct {
	Name  string        `toml:"name"`
	Wait  time.Duration `toml:"wait"`
	Words []string      `toml:"words"`
	On    bool          `toml:"on"`
	Inner struct {
		Text string `toml:"text"`
	} `toml:"inner"`
	List []struct {
		ID    string `toml:"id"`
		Below struct {
			Numbers []int `toml:"numbers"`
		} `toml:"below"`
	} `toml:"list"`
	Kept string `toml:"-"`
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	before := written{Name: "l’été « \"x\" \\ \x01\u2028\nsecond line", Wait: 90 * time.Minute, Words: []string{"a'b", "c\td"}, On: true}
	before.Inner.Text = "<?xml version=\"1.0\"?>\n<a b='c'/>"
	before.List = make([]struct {
		ID    string `toml:"id"`
		Below struct {
			Numbers []int `toml:"numbers"`
		} `toml:"below"`
	}, 2)
	before.List[0].ID, before.List[1].ID = "one", "two"
	before.List[1].Below.Numbers = []int{1, 2}
	var text strings.Builder
	if err := Write(&text, &before); err != nil {
		t.Fatal(err)
	}
	var after written
	if err := ReadText("what was written", []byte(text.String()), nil, &after); err != nil {
		t.Fatalf("%v in\n%s", err, text.String())
	}
	if !reflect.DeepEqual(before, after) {
		t.Errorf("wrote %+v, read %+v by\n%s", before, after, text.String())
	}
}

func TestEmptyKeysAreNotWritten(t *testing.T) {
	var text strings.Builder
	if err := Write(&text, &written{Name: "x"}); err != nil || text.String() != "name = 'x'\n" {
		t.Errorf("%q, %v", text.String(), err)
	}
}
