package doctor

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcpctl/mcpctl/internal/clients"
	"github.com/mcpctl/mcpctl/internal/host"
	"github.com/mcpctl/mcpctl/internal/problem"
)

// Whatever a check does, Run returns in time, and in order.
func TestRunAlwaysEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forever, end := context.WithCancel(t.Context())
		checks := []Check{
			{Name: "deaf", Subject: "a", Limit: time.Minute, Run: func(context.Context) []Result {
				<-forever.Done()
				return nil
			}},
			{Name: "slow", Run: func(ctx context.Context) []Result {
				<-ctx.Done()
				time.Sleep(grace / 2)
				return []Result{finding(Failed, "", "too slow")}
			}},
			{Name: "broken", Run: func(context.Context) []Result { panic("a secret") }},
			{Name: "online", Online: true, Run: func(context.Context) []Result { panic("not offline") }},
			{Name: "two", Subject: "b", Run: func(context.Context) []Result {
				return []Result{finding(OK, "", "%d%%", 1), finding(Warning, "next", "2")}
			}},
			{Name: "nothing", Run: func(context.Context) []Result { return nil }},
		}
		began := time.Now()
		got := Run(t.Context(), checks, time.Second, true)
		want := []Result{
			{"deaf", "a", Failed, "no answer within 1m0s", ""},
			{"slow", "", Failed, "too slow", ""},
			{"broken", "", Failed, "the check itself broke", "please report this"},
			{"online", "", Skipped, "needs the network", ""},
			{"two", "b", OK, "1%", ""},
			{"two", "b", Warning, "2", "next"},
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		if took := time.Since(began); took != time.Minute+grace {
			t.Errorf("took %s", took)
		}
		end()
		synctest.Wait()
	})
}

// Many checks run at the same time, but not all of them.
func TestRunSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var checks []Check
		for range 3 * atOnce {
			checks = append(checks, Check{Run: func(context.Context) []Result {
				time.Sleep(time.Second)
				return nil
			}})
		}
		began := time.Now()
		Run(t.Context(), checks, time.Minute, false)
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestEnvironments(t *testing.T) {
	environ := []string{
		"HOME=/h", "PATH=/p", "USER=u", "LANG=C", "SSL_CERT_FILE=/c", "HTTPS_PROXY=http://p", "PORTKEY_API_KEY=k", "MY_AUTH=a", "DISPLAY=:0",
		"DBUS_SESSION_BUS_ADDRESS=unix:path=/b", "COPILOT_OFFLINE=true", "APPDATA=a", "Path=/w", "=C:=x",
	}
	for _, tt := range []struct {
		client, os, want string
	}{
		{"claude-desktop", "linux", "A=1 HOME=/h PATH=/p USER=u"},
		{"cursor", "darwin", "A=1 HOME=/h PATH=/usr/bin:/bin:/usr/sbin:/sbin USER=u"},
		{"a-new-client", "windows", "A=1 APPDATA=a PATH=/p Path=/w"},
		{"codex", "linux", "A=1 HOME=/h LANG=C PATH=/p SSL_CERT_FILE=/c USER=u"},
		{"codex", "darwin", "A=1 HOME=/h LANG=C PATH=/p SSL_CERT_FILE=/c USER=u"},
		{"gemini-cli", "linux", "A=1 APPDATA=a COPILOT_OFFLINE=true DBUS_SESSION_BUS_ADDRESS=unix:path=/b DISPLAY=:0 HOME=/h HTTPS_PROXY=http://p LANG=C PATH=/p Path=/w USER=u"},
		{"copilot-cli", "linux", "A=1 APPDATA=a DBUS_SESSION_BUS_ADDRESS=unix:path=/b DISPLAY=:0 HOME=/h HTTPS_PROXY=http://p LANG=C MY_AUTH=a PATH=/p PORTKEY_API_KEY=k Path=/w SSL_CERT_FILE=/c USER=u"},
		{"claude-code", "linux", "A=1 APPDATA=a COPILOT_OFFLINE=true DBUS_SESSION_BUS_ADDRESS=unix:path=/b DISPLAY=:0 HOME=/h HTTPS_PROXY=http://p LANG=C MY_AUTH=a PATH=/p PORTKEY_API_KEY=k Path=/w SSL_CERT_FILE=/c USER=u"},
	} {
		t.Run(tt.client+" on "+tt.os, func(t *testing.T) {
			got := environmentOf(tt.os, tt.client).list(host.Host{OS: tt.os}, environ, map[string]string{"A": "1"})
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, " "), tt.want)
			}
		})
	}
	// A row for a client that doesn't exist would be a typing mistake.
	for id := range environments("linux") {
		if _, ok := clients.Lookup(id); !ok && id != "" {
			t.Errorf("there is no client %q", id)
		}
	}
}

// The key of this shell goes only to what the client starts as mcpctl's bridge.
func TestKeyIsNotHandedToOthers(t *testing.T) {
	c := &chain{Options: Options{Host: host.Host{OS: "linux", Home: "/h"}, Environ: []string{"PATH=/p", "MCPCTL_API_KEY=k", "PORTKEY_API_KEY=k", "X=1"}, Project: "/src"}}
	client, _ := clients.Lookup("claude-code")
	f := file{chain: c, place: clients.Place{Target: clients.Target{Client: client, Scope: clients.Project}}}
	for _, tt := range []struct {
		args      []string
		key       bool
		wantsArgs []string
	}{
		{[]string{"bridge", "linear"}, true, []string{"/w", "bridge", "linear", "--no-browser", "--consent-timeout", "1s"}},
		{[]string{"serve"}, false, []string{"/w", "serve"}},
	} {
		cmd, err := f.command(clients.Launch{Command: "/w", Args: tt.args})
		if err != nil || !slices.Equal(cmd.Args, tt.wantsArgs) || cmd.Dir != "/src" {
			t.Errorf("%v: %v %v in %s", tt.args, err, cmd.Args, cmd.Dir)
		}
		if got := strings.Contains(strings.Join(cmd.Env, " "), "API_KEY=k"); got != tt.key {
			t.Errorf("%v: %v", tt.args, cmd.Env)
		}
	}
	_, err := f.command(clients.Launch{Command: "nowhere"})
	if err == nil || problem.NextStep(err) == "" {
		t.Errorf("a program that isn't on the client's PATH: %v", err)
	}
}

func TestOwnWords(t *testing.T) {
	for _, tt := range []struct{ stderr, what, next string }{
		{"mcpctl: it broke\n  do this\n  or that\n", "it broke", "do this"},
		{"warning: x\nmcpctl: it broke\n", "it broke", ""},
		{"panic: token\n", "", ""},
		{"", "", ""},
	} {
		if what, next, ok := ownWords(tt.stderr); what != tt.what || next != tt.next || ok != (tt.what != "") {
			t.Errorf("%q: %q, %q, %v", tt.stderr, what, next, ok)
		}
	}
}

// Of an entry that anyone may have written, only these arguments are taken.
func TestHarmlessArguments(t *testing.T) {
	f := file{chain: &chain{Options: Options{Setting: Setting{GatewayURL: "https://gw.example.com"}}}}
	for args, want := range map[string]bool{
		"bridge notes": true,
		"bridge notes --profile work --workspace w":      true,
		"bridge notes --gateway https://gw.example.com":  true,
		"bridge notes --gateway https://bad.example.com": false,
		"bridge notes --gateway=https://gw.example.com":  false,
		"bridge notes --control-plane x":                 false,
		"bridge notes --config x":                        false,
		"bridge notes --key-file x":                      false,
		"bridge notes --ca-file x":                       false,
		"bridge notes --log-file x":                      false,
		"bridge notes --header A:b":                      false,
		"bridge notes --allow-http":                      false,
		"bridge notes --profile":                         false,
		"bridge notes more":                              false,
		"bridge https://bad.example.com/mcp":             false,
		"bridge --config":                                false,
		"bridge":                                         false,
		"exec notes":                                     false,
	} {
		if got := f.areHarmless(strings.Fields(args)); got != want {
			t.Errorf("%s: %v", args, got)
		}
	}
	if f.Setting.GatewayURL = ""; f.areHarmless([]string{"bridge", "notes", "--gateway", ""}) {
		t.Error("an unknown gateway")
	}
}
