package web

import (
	"io"
	"net/http"
	"net/url"
	"testing"
)

func TestAnotherSitesNameDoesNotReachAHouseOnThisMachine(t *testing.T) {
	local := open(t)
	public := open(t, func(c *Config) { c.BaseURL = &url.URL{Scheme: "https", Host: "ent.example"} })
	for name, c := range map[string]struct {
		house *house
		host  string
		want  int
	}{
		"the address as typed":                 {local, "", 200},
		"localhost":                            {local, "localhost:8420", 200},
		"capitals":                             {local, "LocalHost", 200},
		"a name below localhost":               {local, "amphi.localhost:8420", 200},
		"IPv6":                                 {local, "[::1]:8420", 200},
		"a number cannot be rebound":           {local, "192.0.2.7:8420", 200},
		"a site that leads to us":              {local, "evil.example:8420", 403},
		"a name that only begins like ours":    {local, "localhost.evil.example", 403},
		"a public house behind a proxy":        {public, "ent.example", 200},
		"a public house asked for by its port": {public, "inside:8420", 200},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequest("GET", c.house.URL+"/room", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = c.host
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != c.want {
				t.Errorf("status %d, want %d", resp.StatusCode, c.want)
			}
		})
	}
}
