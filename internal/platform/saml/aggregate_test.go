package saml

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	dsig "github.com/russellhaering/goxmldsig"
)

// aFederation is a signed aggregate of n services.
func aFederation(t testing.TB, n int, by Credential) []byte {
	t.Helper()
	el := newRoot("md:EntitiesDescriptor", "md", "mdui", "mdattr", "mdrpi", "shibmd")
	el.CreateAttr("ID", "_federation")
	el.CreateAttr("Name", "https://federation.example/")
	setTime(el, "validUntil", noon.Add(8*24*time.Hour))
	el.CreateAttr("cacheDuration", "PT1H")
	for i := range n {
		e := anEntity().Entity
		e.ID = fmt.Sprintf("https://sp%d.example/metadata", i)
		el.AddChild(e.Element())
	}
	if err := Sign(el, by); err != nil {
		t.Fatal(err)
	}
	data, err := Marshal(el)
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- licence -->\n"), data...)
}

func TestAFederationIsReadOneEntityAtATime(t *testing.T) {
	for kind, pair := range pairs {
		data := aFederation(t, 30, pair())
		var names []string
		aggregate, err := ReadMetadata(data, Trust{Keys: keysOf(otherPair(), pair())}, func(e *Entity) error {
			names = append(names, e.ID)
			if !e.Is(CategoryResearch) || e.SP.UI.DisplayNames != nil || len(e.SP.Keys) != 3 || !e.ValidUntil.Equal(noon.Add(24*time.Hour)) {
				t.Errorf("%s is read as %+v", e.ID, e)
			}
			return nil
		})
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if len(names) != 30 || names[7] != "https://sp7.example/metadata" || aggregate.Entities != 30 || aggregate.Name != "https://federation.example/" || aggregate.CacheDuration != time.Hour {
			t.Errorf("read %d: %+v", len(names), aggregate)
		}
	}
}

func TestAFederationIsRefusedBeforeAnyEntityIsHandedOver(t *testing.T) {
	c := rsaPair()
	good := string(aFederation(t, 3, c))
	swap := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %q in it", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	const reference = `<ds:Reference URI="#_federation">`
	start := strings.Index(good, "<ds:Signature ")
	end := strings.Index(good, "</ds:Signature>") + len("</ds:Signature>")
	signature := good[start:end]
	for _, each := range []struct {
		name, data string
		keys       []PublicKey
		want       error
	}{
		{"changed at its end", strings.Replace(good, "https://sp2.example/", "https://evil.example/", 1), keysOf(c), ErrAltered},
		{"by a stranger", good, keysOf(otherPair()), ErrUnknownKey},
		{"unsigned", good[:start] + good[end:], keysOf(c), ErrUnsigned},
		{"signed further down", good[:start] + good[end:strings.LastIndex(good, "</md:Ent")] + signature + "</md:EntitiesDescriptor>", keysOf(c), ErrUnsigned},
		{"signed twice", good[:end] + signature + good[end:], keysOf(c), ErrAltered},
		{"whose reference is another", swap(reference, `<ds:Reference URI="#_x">`), keysOf(c), ErrWrapped},
		{"whose digest is SHA-1", swap("2001/04/xmlenc#sha256", "2000/09/xmldsig#sha1"), keysOf(c), ErrAlgorithm},
		{"whose digest changed", swap("<ds:DigestValue>", "<ds:DigestValue>AAAA"), keysOf(c), ErrAltered},
		{"with a document type", swap("<!-- licence -->", "<!DOCTYPE x>"), keysOf(c), ErrDTD},
		{"cut in the middle", good[:len(good)/2], keysOf(c), ErrMalformed},
		{"with something behind", good + "<evil/>", keysOf(c), ErrMalformed},
		{"that is something else", `<a ID="_federation">` + signature + `</a>`, keysOf(c), ErrAltered},
		{"of nothing", "", keysOf(c), ErrMalformed},
		{"whose identifier is there twice", swap(`entityID="https://sp0.example`, `ID="_federation" entityID="https://sp0.example`), keysOf(c), ErrDuplicateID},
	} {
		t.Run(each.name, func(t *testing.T) {
			_, err := ReadMetadata([]byte(each.data), Trust{Keys: each.keys}, func(e *Entity) error {
				t.Errorf("%s was handed over", e.ID)
				return nil
			})
			if !errors.Is(err, each.want) {
				t.Fatalf("got %v, want %v", err, each.want)
			}
		})
	}
}

// An entity of a federation cannot bring its own wrapping: a nested signature
// is content like any other.
func TestASignatureOfAnEntityDoesNotVouchForTheFederation(t *testing.T) {
	c, stranger := rsaPair(), otherPair()
	inner := anEntity().withID()
	signed(t, inner, c)
	outer := newRoot("md:EntitiesDescriptor", "md")
	outer.CreateAttr("ID", "_outer")
	outer.AddChild(inner)
	data := []byte(text(t, outer))
	for name, each := range map[string][]byte{"unsigned around it": data, "signed by a stranger around it": []byte(text(t, signed(t, outer.Copy(), stranger)))} {
		if _, err := ReadMetadata(each, Trust{Keys: keysOf(c)}, func(*Entity) error { return nil }); err == nil {
			t.Errorf("%s, it is taken", name)
		}
	}
}

func TestAnEntityThatCannotBeReadLeavesTheOthers(t *testing.T) {
	data := string(aFederation(t, 3, rsaPair()))
	broken := strings.Replace(data, `entityID="https://sp1.example/metadata" validUntil="`, `entityID="https://sp1.example/metadata" validUntil="x`, 1)
	aggregate, err := ReadMetadata([]byte(broken), Trust{}, func(*Entity) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if aggregate.Entities != 2 || len(aggregate.Refused) != 1 || aggregate.Refused[0].ID != "https://sp1.example/metadata" {
		t.Errorf("got %+v", aggregate)
	}
	stop := errors.New("enough")
	if _, err := ReadMetadata([]byte(data), Trust{}, func(*Entity) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("an error of the caller: %v", err)
	}
	if _, err := ReadMetadata([]byte(`<a/>`), Trust{}, func(*Entity) error { return nil }); !errors.Is(err, ErrUnexpected) {
		t.Errorf("something else: %v", err)
	}
}

func TestMetadataPastItsEndIsNotFresh(t *testing.T) {
	for _, c := range []struct {
		name  string
		until time.Time
		most  time.Duration
		fresh bool
	}{
		{"no end, and none is asked for", time.Time{}, 0, true},
		{"no end, and one is asked for", time.Time{}, time.Hour, false},
		{"an end to come", noon.Add(time.Hour), 2 * time.Hour, true},
		{"an end too far away", noon.Add(3 * time.Hour), 2 * time.Hour, false},
		{"an end that has passed", noon, 0, false},
	} {
		if err := (&Aggregate{ValidUntil: c.until}).Fresh(noon, c.most); (err == nil) != c.fresh {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Two canonicalisers stand in this package; they must not disagree.
func TestBothCanonicalisersWriteTheSame(t *testing.T) {
	for _, text := range []string{
		`<a/>`,
		`<a xmlns="u"><b xmlns=""><c xmlns="u"/></b></a>`,
		`<x:a xmlns:x="u" xmlns:y="v" y:z="1" b="2" x:c="3"><y:d/><y:d xmlns:y="w"/></x:a>`,
		`<a xmlns:x="u"><x:b><x:c xmlns:x="u"/></x:b><b x:d="&lt;&amp;&quot;'>"/></a>`,
		"<a>\n\t&lt;&gt;&amp;\"'&#xD;<![CDATA[<&>]]></a>",
		`<a xml:lang="fr" b="é"><!-- gone --><b>text</b></a>`,
		`<a xmlns:unused="u"><b xmlns:unused="u"/></a>`,
	} {
		el := parsed(t, text)
		want, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("").Canonicalize(el)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := canonicalise([]byte(text), &got, wholeButSignature, nil, nil); err != nil {
			t.Fatal(err)
		}
		if got.String() != string(want) {
			t.Errorf("of %s\nours   %s\ntheirs %s", text, got.String(), want)
		}
	}
}

// A federation of ten megabytes is read without a tree of it in memory.
func TestATenMegabyteAggregateStaysSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("ten megabytes take two seconds")
	}
	data := bigFederation(t, 10<<20)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	peak, entities := uint64(0), 0
	started := time.Now()
	if _, err := ReadMetadata(data, Trust{Keys: keysOf(rsaPair())}, func(*Entity) error {
		if entities++; entities%100 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&after)
			peak = max(peak, after.HeapAlloc)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	grown := int64(peak) - int64(before.HeapAlloc)
	t.Logf("%d entities in %d bytes: %s, live heap grew by %d kB", entities, len(data), time.Since(started).Round(time.Millisecond), grown>>10)
	if grown > 4<<20 {
		t.Errorf("%d bytes live beyond the document", grown)
	}
}

// bigFederation is a signed aggregate of at least that many bytes.
func bigFederation(t testing.TB, size int) []byte {
	t.Helper()
	small := aFederation(t, 1, rsaPair())
	start := bytes.Index(small, []byte("<ds:Signature "))
	end := bytes.Index(small, []byte("</ds:Signature>")) + len("</ds:Signature>")
	tail := bytes.LastIndex(small, []byte("</md:EntitiesDescriptor>"))
	entity := small[end:tail]
	var b bytes.Buffer
	b.Write(small[:start])
	mark := b.Len()
	for i := range size/len(entity) + 1 {
		b.Write(bytes.Replace(entity, []byte("https://sp0.example"), fmt.Appendf(nil, "https://sp%d.example", i), 1))
	}
	b.Write(small[tail:])
	data := b.Bytes()
	signature := streamSignature(t, data, small[start:end])
	return append(append(append(make([]byte, 0, len(data)+len(signature)), data[:mark]...), signature...), data[mark:]...)
}
