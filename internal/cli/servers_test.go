package cli

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestServersListExitCodes(t *testing.T) {
	for _, tt := range []struct {
		name, key string
		code      int
		out, err  string // parts
	}{
		{"good", goodKey, 0, "linear\t", ""},
		{"bearer alone", bearerKey, 0, "linear\t", ""},
		{"refused", badKey, exitNotLoggedIn, "", "mcpctl login"},
		{"none", "", exitNotLoggedIn, "", "mcpctl login"},
		{"may not list", noListKey, exitFailed, "", "lacks the scope mcp_servers.list"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := newUser(t, newTestGateway(t).URL)
			u.env["MCPCTL_API_KEY"] = tt.key
			code, out, err := u.run("", "servers", "ls")
			if code != tt.code || !strings.HasPrefix(out, tt.out) || !strings.Contains(err, tt.err) || (tt.code == 0) != (err == "") {
				t.Errorf("%d, %q, %q", code, out, err)
			}
		})
	}
}

// A server's words don't reach a terminal, a shell or a table's columns as they are.
func TestServersListHarmless(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"total":2,"data":[{"slug":"good","name":"a\tb\n\u001b[31m","description":"x\u009b2Jy","url":"https://elsewhere.example/mcp"},{"slug":"b\nad","name":"n"}]}`)
	}))
	defer s.Close()
	u := newUser(t, s.URL)
	u.env["MCPCTL_API_KEY"] = goodKey
	if code, out, err := u.run("", "servers", "ls"); code != 0 || err != "" || out != "good\ta b \ufffd[31m\t\t\tx\ufffd2Jy\nb ad\tn\t\t\t\n" {
		t.Errorf("%d, %q, %q", code, out, err)
	}
	if code, out, _ := u.run("", "servers", "ls", "--jq", ".[0].url"); code != 0 || out != "https://elsewhere.example/mcp\n" {
		t.Errorf("%d, %q", code, out)
	}
	if code, out, _ := u.run("", "__complete", "bridge", ""); code != 0 || out != "good\ta b \ufffd[31m\n:4\n" {
		t.Errorf("completion: %d, %q", code, out)
	}
}

func TestServersListInterrupted(t *testing.T) {
	asked := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	}))
	defer s.Close()
	u := newUser(t, s.URL)
	u.env["MCPCTL_API_KEY"] = goodKey
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	var out, err bytes.Buffer
	if code := u.app(strings.NewReader(""), &out, &err).run(ctx, []string{"servers", "ls"}); code != exitInterrupted || out.Len() > 0 {
		t.Errorf("%d, %q, %q", code, out.String(), err.String())
	}
}
