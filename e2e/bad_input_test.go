package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
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

// post makes a request that posts a form as a browser on the site would.
func post(t *testing.T, h *house.House, path string, form string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL+path, strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	return request
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
	h, c := house.Shared(t), client(t)
	answer, _ := send(t, c, post(t, h, "/login", url.Values{"username": {"student"}, "password": {house.Password}}.Encode()))
	if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != "/" {
		t.Fatalf("signing in answered %s to %q", answer.Status, answer.Header.Get("Location"))
	}
}

func TestAnswersToBadInput(t *testing.T) {
	h := house.Shared(t)
	cases := []struct {
		name   string
		make   func(*testing.T) *http.Request
		status []int
	}{
		{"a field that is far too long", func(t *testing.T) *http.Request {
			return post(t, h, "/login", "username="+strings.Repeat("a", 20_000)+"&password=x")
		}, []int{422, 413}},
		{"letters that are not UTF-8", func(t *testing.T) *http.Request { return post(t, h, "/login", "username=%ff%fe&password=x") }, []int{400, 422}},
		{"a NUL in a field", func(t *testing.T) *http.Request { return post(t, h, "/login", "username=a%00b&password=x") }, []int{400, 422}},
		{"a broken percent sign", func(t *testing.T) *http.Request { return post(t, h, "/login", "username=%zz&password=%") }, []int{400, 422}},
		{"ten megabytes", func(t *testing.T) *http.Request {
			return post(t, h, "/login", "username=a&password="+strings.Repeat("x", 10<<20))
		}, []int{413}},
		{"a form that another site posts", func(t *testing.T) *http.Request {
			r := post(t, h, "/login", "username=student&password=x")
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Origin", "https://evil.example")
			return r
		}, []int{403}},
		{"a forged session cookie", func(t *testing.T) *http.Request {
			r := post(t, h, "/identity/sessions/close-others", "")
			r.Header.Set("Cookie", "__Host-amphi=forged; __Host-session=forged; amphi=forged")
			return r
		}, []int{303, 401}},
		{"a method that the page does not know", func(t *testing.T) *http.Request {
			r := post(t, h, "/login", "")
			r.Method = http.MethodDelete
			return r
		}, []int{405}},
		{"a page that is not there", func(t *testing.T) *http.Request {
			r := post(t, h, "/no/such/page", "")
			r.Method = http.MethodGet
			return r
		}, []int{404}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			answer, body := send(t, client(t), c.make(t))
			if !contains(c.status, answer.StatusCode) {
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
		})
	}
}

func TestNoAddressLeadsElsewhereAfterSignIn(t *testing.T) {
	h := house.Shared(t)
	for _, next := range []string{"https://evil.example/", "//evil.example/", `/\evil.example/`, "/%09/evil.example", "javascript:alert(1)", "/\r\nSet-Cookie: a=b"} {
		t.Run(next, func(t *testing.T) {
			answer, _ := send(t, client(t), post(t, h, "/login", url.Values{"username": {"student"}, "password": {house.Password}, "next": {next}}.Encode()))
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
	h := house.Shared(t)
	c := client(t)
	send(t, c, post(t, h, "/login", url.Values{"username": {"student"}, "password": {house.Password}}.Encode()))
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

func TestASlowClientHoldsNobodyUp(t *testing.T) {
	h := house.Shared(t)
	address := strings.TrimPrefix(h.URL, "http://")
	for range 20 { // each sends the beginning of a request and then nothing
		connection, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { connection.Close() })
		if _, err := fmt.Fprintf(connection, "POST /login HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nuser", address); err != nil {
			t.Fatal(err)
		}
	}
	started := time.Now()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL+"/login", bytes.NewReader(nil))
	if err != nil {
		t.Fatal(err)
	}
	if answer, _ := send(t, client(t), request); answer.StatusCode != http.StatusOK {
		t.Errorf("others should be served, they got %s", answer.Status)
	}
	if took := time.Since(started); took > 2*time.Second {
		t.Errorf("others waited %s", took)
	}
}

func contains(statuses []int, status int) bool {
	for _, s := range statuses {
		if s == status {
			return true
		}
	}
	return false
}
