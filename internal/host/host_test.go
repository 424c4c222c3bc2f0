package host

import (
	"os"
	"os/user"
	"runtime"
	"testing"
)

func TestFolders(t *testing.T) {
	env := func(vars map[string]string) func(string) string { return func(n string) string { return vars[n] } }
	for _, tc := range []struct {
		name          string
		h             Host
		config, state string
	}{
		{"linux", Host{OS: "linux", Home: "/home/u"}, "/home/u/.config/mcpctl", "/home/u/.local/state/mcpctl"},
		{"macOS", Host{OS: "darwin", Home: "/Users/u"}, "/Users/u/.config/mcpctl", "/Users/u/.local/state/mcpctl"},
		{"XDG", Host{OS: "linux", Home: "/home/u", Env: env(map[string]string{"XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s"})}, "/c/mcpctl", "/s/mcpctl"},
		{"XDG, relative", Host{OS: "linux", Home: "/home/u", Env: env(map[string]string{"XDG_CONFIG_HOME": "c", "XDG_STATE_HOME": "s"})}, "/home/u/.config/mcpctl", "/home/u/.local/state/mcpctl"},
		{"Windows", Host{OS: "windows", Home: `C:\Users\u`, AppData: `C:\Users\u\AppData\Roaming`, LocalAppData: `C:\Users\u\AppData\Local`, Env: env(map[string]string{"XDG_CONFIG_HOME": "/c"})},
			`C:\Users\u\AppData\Roaming\mcpctl`, `C:\Users\u\AppData\Local\mcpctl`},
	} {
		if got := tc.h.ConfigDir(); got != tc.config {
			t.Errorf("%s: settings in %s, want %s", tc.name, got, tc.config)
		}
		if got := tc.h.StateDir(); got != tc.state {
			t.Errorf("%s: state in %s, want %s", tc.name, got, tc.state)
		}
	}
	if got := (Host{OS: "windows"}).Join(`C:\a`, "", "b/c"); got != `C:\a\b\c` {
		t.Error(got)
	}
}

func TestSeal(t *testing.T) {
	t.Setenv("MCPCTL_TEST_SECRET", "s")
	t.Setenv("MCPCTL_TEST_OTHER", "o")
	h, err := Current()
	if err != nil {
		t.Fatal(err)
	}
	h = h.Seal("MCPCTL_TEST_SECRET", "MCPCTL_TEST_UNSET")
	if h.Getenv("MCPCTL_TEST_SECRET") != "s" || h.Getenv("MCPCTL_TEST_UNSET") != "" || h.Getenv("MCPCTL_TEST_OTHER") != "o" {
		t.Error("the host forgot a variable")
	}
	if _, there := os.LookupEnv("MCPCTL_TEST_SECRET"); there {
		t.Error("a child would inherit the secret")
	}
}

// TestNoHome: a service that is started without the variable has the home folder of its user.
func TestNoHome(t *testing.T) {
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	name := "HOME"
	if runtime.GOOS == "windows" {
		name = "USERPROFILE"
	}
	t.Setenv(name, "")
	if h, err := Current(); err != nil || h.Home != u.HomeDir {
		t.Errorf("%q, %v; want %q", h.Home, err, u.HomeDir)
	}
	t.Setenv(name, "relative")
	if h, err := Current(); err == nil {
		t.Errorf("a relative home: %q", h.Home)
	}
}
