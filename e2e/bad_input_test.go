package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/e2e/house"
)

// client is a program that keeps cookies and follows no redirect.
func client(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// send sends a request and gives the answer with its body read.
func send(t *testing.T, c *http.Client, request *http.Request) (*http.Response, string) {
	t.Helper()
	answer, err := c.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

// posting makes a request that posts a form as a browser on the site would.
func posting(t *testing.T, h *house.House, path string, form string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL+path, strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	return request
}

// enter signs in as a browser does: it opens the page, which gives it a cookie,
// and sends the form.
func enter(t *testing.T, h *house.House, c *http.Client, form url.Values) (*http.Response, string) {
	t.Helper()
	send(t, c, get(t, h, "/login"))
	return send(t, c, posting(t, h, "/login", form.Encode()))
}

// get makes a request that follows a link on the site.
func get(t *testing.T, h *house.House, path string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	return request
}

func TestAPlainClientThatKeepsCookiesCanSignIn(t *testing.T) {
	t.Parallel()
	h, c := house.Shared(t), client(t)
	answer, _ := enter(t, h, c, url.Values{"username": {"student"}, "password": {house.Password}})
	if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != "/" {
		t.Fatalf("signing in answered %s to %q", answer.Status, answer.Header.Get("Location"))
	}
}

func TestAnswersToBadInput(t *testing.T) {
	t.Parallel()
	h := house.Start(t, "--verbose")
	method := func(name, path string) func(*testing.T) *http.Request {
		return func(t *testing.T) *http.Request {
			r := posting(t, h, path, "")
			r.Method = name
			return r
		}
	}
	header := func(name, value string) func(*testing.T) *http.Request {
		return func(t *testing.T) *http.Request {
			r := get(t, h, "/identity/sessions")
			r.Header.Set(name, value)
			return r
		}
	}
	cases := []struct {
		name   string
		make   func(*testing.T) *http.Request
		status []int
	}{
		{"a field that is far too long", func(t *testing.T) *http.Request {
			return posting(t, h, "/login", "username="+strings.Repeat("a", 20_000)+"&password=x")
		}, []int{422, 413}},
		{"ten thousand fields", func(t *testing.T) *http.Request {
			return posting(t, h, "/login", strings.Repeat("a=b&", 10_000))
		}, []int{400, 413, 422}},
		{"letters that are not UTF-8", func(t *testing.T) *http.Request { return posting(t, h, "/login", "username=%ff%fe&password=x") }, []int{400, 422}},
		{"a NUL in a field", func(t *testing.T) *http.Request { return posting(t, h, "/login", "username=a%00b&password=x") }, []int{400, 422}},
		{"a broken percent sign", func(t *testing.T) *http.Request { return posting(t, h, "/login", "username=%zz&password=%") }, []int{400, 422}},
		{"a body that is no form", func(t *testing.T) *http.Request {
			r := posting(t, h, "/login", `{"username": "student"}`)
			r.Header.Set("Content-Type", "application/json")
			return r
		}, []int{400, 415, 422}},
		{"ten megabytes", func(t *testing.T) *http.Request {
			return posting(t, h, "/login", "username=a&password="+strings.Repeat("x", 10<<20))
		}, []int{413}},
		{"a form that another site posts", func(t *testing.T) *http.Request {
			r := posting(t, h, "/login", "username=student&password=x")
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Origin", "https://evil.example")
			return r
		}, []int{403}},
		{"a forged session cookie", header("Cookie", "__Host-amphi_session=forged; amphi_session=forged; __Host-amphi=forged; amphi=forged"), []int{303}},
		{"a cookie of binary rubbish", header("Cookie", "amphi_session=\xff\xfe; ;;=;\""), []int{303}},
		{"a language that nobody speaks", header("Accept-Language", strings.Repeat("xx-YY;q=2,", 400)), []int{303}},
		{"an address with rubbish in it", func(t *testing.T) *http.Request { return get(t, h, "/portal/news/%00%ff%2e%2e%2f") }, []int{303, 400, 404}},
		{"a method that the page does not know", method(http.MethodDelete, "/login"), []int{405}},
		{"a method that nobody knows", method("BREW", "/login"), []int{405}},
		{"an echo", method(http.MethodTrace, "/login"), []int{405}},
		{"a page that is not there", method(http.MethodGet, "/no/such/page"), []int{404}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			answer, body := send(t, client(t), c.make(t))
			if !slices.Contains(c.status, answer.StatusCode) {
				t.Errorf("answered %s, it should be one of %v", answer.Status, c.status)
			}
			if answer.StatusCode >= 400 && !strings.Contains(body, "<h1") {
				t.Errorf("the answer should be a page that explains; it is %.300q", body)
			}
			for _, inner := range []string{"panic", "goroutine ", "sqlite", ".go:"} {
				if strings.Contains(body, inner) {
					t.Errorf("the answer tells inner matters: %q", inner)
				}
			}
			if where := answer.Header.Get("Location"); answer.StatusCode == http.StatusSeeOther && !strings.HasPrefix(where, "/login") {
				t.Errorf("a stranger should be sent to sign in, not to %q", where)
			}
			id, deadline := answer.Header.Get("X-Request-Id"), time.Now().Add(5*time.Second)
			for !strings.Contains(h.Log(), `"id":"`+id+`"`) { // the line follows the answer
				if time.Now().After(deadline) {
					t.Fatalf("the log should have a line about request %q", id)
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
}

func TestNobodyTellsTheHouseItsOwnName(t *testing.T) {
	t.Parallel()
	h := house.Shared(t)
	for name, value := range map[string]string{"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example", "X-Original-URL": "/operations"} {
		t.Run(name, func(t *testing.T) {
			request := get(t, h, "/login?next=/portal/news")
			if request.Header.Set(name, value); name == "Host" {
				request.Host = value
			}
			answer, body := send(t, client(t), request)
			if strings.Contains(body+fmt.Sprint(answer.Header), "evil.example") {
				t.Errorf("the answer (%s) repeats the name", answer.Status)
			}
		})
	}
}

func TestNoAddressLeadsElsewhereAfterSignIn(t *testing.T) {
	t.Parallel()
	h := house.Shared(t)
	for _, next := range []string{"https://evil.example/", "//evil.example/", `/\evil.example/`, "/%09/evil.example", "javascript:alert(1)", "/\r\nSet-Cookie: a=b"} {
		t.Run(next, func(t *testing.T) {
			answer, _ := enter(t, h, client(t), url.Values{"username": {"student"}, "password": {house.Password}, "next": {next}})
			where, err := url.Parse(answer.Header.Get("Location"))
			if err != nil || where.Host != "" || where.Scheme != "" || strings.HasPrefix(where.Path, "//") || strings.Contains(where.Path, `\`) {
				t.Errorf("the sign-in leads to %q", answer.Header.Get("Location"))
			}
			if answer.Header.Get("Set-Cookie") == "a=b" {
				t.Error("the address could set a header")
			}
		})
	}
}

func TestNoServiceAddressLeadsToAStranger(t *testing.T) {
	t.Parallel()
	h := house.Shared(t)
	c := client(t)
	enter(t, h, c, url.Values{"username": {"student"}, "password": {house.Password}})
	for _, service := range []string{"https://evil.example/", "http://127.0.0.1.evil.example/", "http://127.0.0.1:1@evil.example/", "javascript:alert(1)", "http://localhost:1/\r\nX: y"} {
		t.Run(service, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL+"/cas/login?"+url.Values{"service": {service}}.Encode(), nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, body := send(t, c, request)
			if where := answer.Header.Get("Location"); strings.Contains(where, "ticket=") {
				t.Errorf("a ticket went to %q", where)
			}
			if answer.StatusCode < 400 || !strings.Contains(body, "<h1") {
				t.Errorf("the refusal should be explained; answered %s", answer.Status)
			}
		})
	}
}

func TestSlowClientsHoldNobodyUp(t *testing.T) {
	h := house.Shared(t)
	for range 20 { // each sends the beginning of a form and then nothing
		slowly(t, h, "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nuser")
	}
	started := time.Now()
	if answer, _ := send(t, client(t), get(t, h, "/login")); answer.StatusCode != http.StatusOK {
		t.Errorf("others should be served, they got %s", answer.Status)
	}
	if took := time.Since(started); took > 2*time.Second {
		t.Errorf("others waited %s", took)
	}
}

func TestAClientThatNeverEndsItsHeadersIsShownOut(t *testing.T) {
	t.Parallel() // it takes as long as the house is patient
	connection := slowly(t, house.Shared(t), "GET /login HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
	over := time.After(20 * time.Second)
	for {
		select {
		case <-over:
			t.Fatal("the house still listens after 20 s")
		case <-time.After(100 * time.Millisecond):
		}
		if _, err := connection.Write([]byte("a")); err != nil {
			return
		}
	}
}

// slowly opens a connection and sends the beginning of a request.
func slowly(t *testing.T, h *house.House, beginning string) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(h.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() }) // the house may have closed it before
	if _, err := connection.Write([]byte(beginning)); err != nil {
		t.Fatal(err)
	}
	return connection
}
