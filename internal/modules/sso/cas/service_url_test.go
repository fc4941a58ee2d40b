package cas

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

func TestServiceAddressesAreNormalised(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"case of scheme and host":         {"HTTPS://Moodle.UNIV.fr/Login", "https://moodle.univ.fr/Login"},
		"the port of https":               {"https://moodle.univ.fr:443/", "https://moodle.univ.fr/"},
		"the port of http":                {"http://moodle.univ.fr:80/", "http://moodle.univ.fr/"},
		"a port of its own stays":         {"https://moodle.univ.fr:8443/", "https://moodle.univ.fr:8443/"},
		"the other scheme's port stays":   {"https://moodle.univ.fr:80/", "https://moodle.univ.fr:80/"},
		"no path":                         {"https://moodle.univ.fr", "https://moodle.univ.fr/"},
		"no path but a query":             {"https://moodle.univ.fr?x=1", "https://moodle.univ.fr/?x=1"},
		"an empty query":                  {"https://moodle.univ.fr/?", "https://moodle.univ.fr/"},
		"escapes in lower case":           {"https://a.fr/%c3%a9", "https://a.fr/%C3%A9"},
		"needless escapes":                {"https://a.fr/%61b%7e?%61=1", "https://a.fr/ab~?a=1"},
		"an escaped slash stays escaped":  {"https://a.fr/a%2fb", "https://a.fr/a%2Fb"},
		"letters with accents":            {"https://a.fr/é?q=é", "https://a.fr/%C3%A9?q=%C3%A9"},
		"a space":                         {"https://a.fr/x y?q=a b", "https://a.fr/x%20y?q=a%20b"},
		"a host with accents":             {"https://université.fr/", "https://xn--universit-j4a.fr/"},
		"an IPv6 host":                    {"http://[0:0:0:0:0:0:0:1]:8080/", "http://[::1]:8080/"},
		"a fragment is not sent":          {"https://a.fr/#/page", "https://a.fr/"},
		"a stale ticket of ours":          {"https://a.fr/?a=1&ticket=ST-abc&b=2", "https://a.fr/?a=1&b=2"},
		"only a stale ticket":             {"https://a.fr/?ticket=ST-abc", "https://a.fr/"},
		"a ticket that is not ours":       {"https://a.fr/?ticket=concert", "https://a.fr/?ticket=concert"},
		"a percent sign that escapes not": {"https://a.fr/?q=100%", "https://a.fr/?q=100%"},
		"a session in the path":           {"https://a.fr/x;jsessionid=1", "https://a.fr/x;jsessionid=1"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := ParseServiceURL(c.in)
			if err != nil || s.String() != c.want {
				t.Errorf("ParseServiceURL(%q) = %q, %v; want %q", c.in, s, err, c.want)
			}
		})
	}
}

func TestDangerousServiceAddressesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want error
	}{
		"nothing":                            {"", ErrScheme},
		"a path of ours":                     {"/portal", ErrScheme},
		"no scheme":                          {"//evil.example/", ErrScheme},
		"a script":                           {"javascript:alert(1)", ErrScheme},
		"a script that looks like a host":    {"javascript://good.example/%0aalert(1)", ErrScheme},
		"data":                               {"data:text/html,x", ErrScheme},
		"opaque https":                       {"https:good.example", ErrScheme},
		"ftp":                                {"ftp://good.example/", ErrScheme},
		"a name before the host":             {"https://good.example@evil.example/", ErrUserInfo},
		"a name and password":                {"https://good.example:443@evil.example/", ErrUserInfo},
		"an empty name":                      {"https://@evil.example/", ErrUserInfo},
		"an escaped @ in the host":           {"https://good.example%40evil.example/", ErrUnreadable},
		"backslashes for slashes":            {`https:\\evil.example`, ErrCharacters},
		"a backslash before @":               {`https://good.example\@evil.example/`, ErrCharacters},
		"a backslash in the path":            {`https://good.example\.evil.example/`, ErrCharacters},
		"a new line":                         {"https://good.example/\r\nSet-Cookie: a=b", ErrCharacters},
		"a tab that browsers drop":           {"https://good.exa\tmple/", ErrCharacters},
		"a NUL":                              {"https://good.example/\x00", ErrCharacters},
		"bytes that are not text":            {"https://good.example/\xff\xfe", ErrCharacters},
		"no host":                            {"https:///evil.example/", ErrHost},
		"one slash":                          {"https:/evil.example/", ErrHost},
		"only a port":                        {"https://:443/", ErrHost},
		"an empty port":                      {"https://good.example:/", ErrHost},
		"a port with zeros":                  {"https://good.example:0443/", ErrHost},
		"a port that is a word":              {"https://good.example:https/", ErrUnreadable},
		"a final dot":                        {"https://good.example./", ErrHost},
		"an empty label":                     {"https://good..example/", ErrHost},
		"an address in hexadecimal":          {"http://0x7f.1/", ErrHost},
		"an address in three parts":          {"http://127.0.1/", ErrHost},
		"an address as one number":           {"http://2130706433/", ErrHost},
		"an address with a zone":             {"http://[fe80::1%25eth0]/", ErrHost},
		"a space in the host":                {"https://good.example evil.example/", ErrUnreadable},
		"a comma in the host":                {"https://good.example,evil.example/", ErrHost},
		"a semicolon in the host":            {"https://good.example;evil.example/", ErrHost},
		"a path that climbs":                 {"https://good.example/app/../admin", ErrDots},
		"a path that climbs behind escapes":  {"https://good.example/app/%2e%2e/admin", ErrDots},
		"a path that climbs escaped twice":   {"https://good.example/app/%252e%252e/admin", ErrDots},
		"a path that climbs by %2f":          {"https://good.example/app/..%2fadmin", ErrDots},
		"a path that climbs by %5c":          {"https://good.example/app/..%5cadmin", ErrDots},
		"a path that climbs as Tomcat reads": {"https://good.example/app/..;/admin", ErrDots},
		"a broken escape in the path":        {"https://good.example/%zz", ErrUnreadable},
		"too long":                           {"https://good.example/" + strings.Repeat("a", MaxServiceURL), ErrTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := ParseServiceURL(c.in)
			if !errors.Is(err, c.want) {
				t.Errorf("ParseServiceURL(%q) = %q, %v; want %v", c.in, s, err, c.want)
			}
		})
	}
}

func TestTheTicketJoinsTheQuery(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"no path":                       {"https://a.fr", "https://a.fr?ticket=ST-1"},
		"no query":                      {"https://a.fr/x", "https://a.fr/x?ticket=ST-1"},
		"a query":                       {"https://a.fr/x?a=1&b=2", "https://a.fr/x?a=1&b=2&ticket=ST-1"},
		"an empty query":                {"https://a.fr/x?", "https://a.fr/x?ticket=ST-1"},
		"a query that ends with &":      {"https://a.fr/x?a=1&", "https://a.fr/x?a=1&ticket=ST-1"},
		"a fragment":                    {"https://a.fr/x#/page", "https://a.fr/x?ticket=ST-1#/page"},
		"a query and a fragment with ?": {"https://a.fr/x?a=1#/p?q", "https://a.fr/x?a=1&ticket=ST-1#/p?q"},
		"an old ticket is replaced":     {"https://a.fr/x?ticket=ST-old&a=1", "https://a.fr/x?a=1&ticket=ST-1"},
		"accents":                       {"https://a.fr/é", "https://a.fr/%C3%A9?ticket=ST-1"},
		"escapes stay as they were":     {"https://a.fr/a%2fb?u=https%3a%2f%2fb", "https://a.fr/a%2fb?u=https%3a%2f%2fb&ticket=ST-1"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := ParseServiceURL(c.in)
			if err != nil || s.WithTicket(TicketParameter, "ST-1") != c.want {
				t.Errorf("got %q, %v; want %q", s.WithTicket(TicketParameter, "ST-1"), err, c.want)
			}
		})
	}
}

func TestADifferenceHasAName(t *testing.T) {
	const issued = "https://a.fr/app/x?y=1&z=a%20b"
	for name, c := range map[string]struct {
		issued, received string
		want             Difference
	}{
		"the same":                    {issued, issued, Same},
		"the same, written otherwise": {issued, "HTTPS://A.fr:443/app/x?y=1&z=a%20b#top", Same},
		"http for https":              {issued, "http://a.fr/app/x?y=1&z=a%20b", OtherScheme},
		"another host":                {issued, "https://b.fr/app/x?y=1&z=a%20b", OtherHost},
		"another port":                {issued, "https://a.fr:8443/app/x?y=1&z=a%20b", OtherPort},
		"entities":                    {issued, "https://a.fr/app/x?y=1&amp;z=a%20b", Entities},
		"escaped twice":               {issued, "https://a.fr/app/x?y=1&z=a%2520b", DoublyEscaped},
		"plus for a space":            {issued, "https://a.fr/app/x?y=1&z=a+b", OtherEscapes},
		"a slash at the end":          {issued, "https://a.fr/app/x/?y=1&z=a%20b", TrailingSlash},
		"a session in the path":       {issued, "https://a.fr/app/x;jsessionid=9?y=1&z=a%20b", SessionInPath},
		"another path":                {issued, "https://a.fr/app/y?y=1&z=a%20b", OtherPath},
		"the query lost":              {issued, "https://a.fr/app/x", QueryLost},
		"a query added":               {"https://a.fr/", "https://a.fr/?x=1", QueryAdded},
		"another query":               {issued, "https://a.fr/app/x?y=2", OtherQuery},
		"rubbish":                     {issued, "a.fr", Unreadable},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := ParseServiceURL(c.issued)
			if err != nil {
				t.Fatal(err)
			}
			if got := Compare(s, c.received); got != c.want {
				t.Errorf("Compare(%q) = %q, want %q", c.received, got, c.want)
			}
		})
	}
}

// FuzzServiceURL looks for an address that we accept and a browser would read as
// another host, or that would end the Location header.
func FuzzServiceURL(f *testing.F) {
	for _, seed := range []string{
		"https://moodle.univ.fr/login?x=1#y", "https://good.example@evil.example/", `https://good.example\@evil.example`,
		"//evil.example", "https://good.example.evil.com", "https://GOOD.example:443/%2e%2e/", "http://[::1]:80/", "http://0x7f.1/",
		"https://a.fr/\r\nX: y", "https://université.fr/é?ticket=ST-1&a=%zz", "https://a.fr/%252e%252e", "https://a.fr?x#a?b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseServiceURL(text)
		if err != nil {
			return
		}
		again, err := ParseServiceURL(s.String())
		if err != nil || again.String() != s.String() {
			t.Fatalf("%q becomes %q becomes %q, %v", text, s, again, err)
		}
		for _, address := range []string{s.Address(), s.WithTicket(TicketParameter, "ST-1")} {
			u, err := url.Parse(address)
			if err != nil || u.User != nil || (u.Scheme != "http" && u.Scheme != "https") {
				t.Fatalf("%q leads to %q, %v", text, address, err)
			}
			for i := range len(address) {
				if address[i] <= ' ' || address[i] >= 0x7f || address[i] == '\\' {
					t.Fatalf("%q leads to %q", text, address)
				}
			}
			if back, err := ParseServiceURL(address); err != nil || back.String() != s.String() {
				t.Fatalf("%q leads to %q, which is %q, %v", text, address, back, err)
			}
		}
		if got := Compare(s, text); got != Same {
			t.Fatalf("%q differs from itself by %q", text, got)
		}
	})
}
