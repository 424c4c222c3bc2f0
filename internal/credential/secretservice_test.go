//go:build !darwin && !windows

package credential

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/mcpctl/mcpctl/internal/host"
)

// socketIn makes a socket called bus in a new folder, and returns the folder.
func socketIn(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bus dir") // short: a socket's path has 108 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return dir
}

func TestFindBus(t *testing.T) {
	runtimeDir, userDir, none := socketIn(t), socketIn(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(none, "bus"), nil, 0o600); err != nil { // no socket
		t.Fatal(err)
	}
	exported := func(dir string) string { return "unix:path=" + dbus.EscapeBusAddressValue(dir+"/bus") }
	tests := map[string]struct {
		env     map[string]string
		userDir string
		want    string // what godbus is told; "" for no bus
	}{
		"the variable alone counts": {map[string]string{busVariable: "unix:path=/x", "XDG_RUNTIME_DIR": runtimeDir}, userDir, "unix:path=/x"},
		"runtime folder":            {map[string]string{"XDG_RUNTIME_DIR": runtimeDir}, userDir, exported(runtimeDir)},
		"user's folder":             {map[string]string{"XDG_RUNTIME_DIR": none}, userDir, exported(userDir)},
		"without runtime folder":    {nil, userDir, exported(userDir)},
		"autolaunch is none":        {map[string]string{busVariable: "autolaunch:"}, userDir, exported(userDir)},
		"nothing":                   {map[string]string{busVariable: "autolaunch:scope=*user", "XDG_RUNTIME_DIR": none}, none, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv(busVariable, tc.env[busVariable])
			why := findBus(host.Host{OS: "linux", Env: func(n string) string { return tc.env[n] }}, tc.userDir)
			if (why == "") != (tc.want != "") {
				t.Fatalf("got %q", why)
			}
			if got := os.Getenv(busVariable); why == "" && got != tc.want {
				t.Errorf("told godbus %q, want %q", got, tc.want)
			}
		})
	}
}

func TestSecretServiceKinds(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want Kind
	}{
		"locked":      {errors.New("failed to unlock correct collection '/x'"), Locked},
		"no bus":      {&net.OpError{Op: "dial", Err: errors.New("no such file")}, Absent},
		"no service":  {dbus.Error{Name: "org.freedesktop.DBus.Error.ServiceUnknown"}, Absent},
		"no start":    {dbus.Error{Name: "org.freedesktop.DBus.Error.Spawn.ChildExited"}, Absent},
		"no reply":    {dbus.Error{Name: "org.freedesktop.DBus.Error.NoReply"}, Timeout},
		"forbidden":   {dbus.Error{Name: "org.freedesktop.DBus.Error.AccessDenied"}, Denied},
		"item locked": {dbus.Error{Name: "org.freedesktop.Secret.Error.IsLocked"}, Locked},
		"other":       {dbus.Error{Name: "org.freedesktop.DBus.Error.LimitsExceeded"}, Failed},
	} {
		if got := platformOf("linux").kind(tc.err); got != tc.want {
			t.Errorf("%s: got %d, want %d", name, got, tc.want)
		}
	}
}
