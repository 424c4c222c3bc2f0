//go:build e2e && linux

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/demo"
)

// session is a person's session with a keyring in some state, and a gateway to log in to.
type session struct {
	t       *testing.T
	folder  string
	bus     string
	gateway *demo.Gateway
}

// newSession starts testdata/keyring.sh. When the test ends, so does the session, and no process of it may be left.
func newSession(t *testing.T, state string) *session {
	t.Helper()
	need(t, "gnome-keyring-daemon", "gnome-keyring")
	need(t, "dbus-run-session", "dbus")
	need(t, "dbus-send", "dbus")
	need(t, "secret-tool", "libsecret-tools")
	g, err := demo.Start(demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	s := &session{t: t, folder: t.TempDir(), gateway: g}
	cmd := exec.Command("testdata/keyring.sh", state, s.folder)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.WaitDelay = 10 * time.Second
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the session ended badly: %v\n%s", err, stderr.Bytes())
		}
		s.wantNoProcess()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("no session: %v\n%s", err, stderr.Bytes())
	}
	s.bus = strings.TrimSpace(line)
	return s
}

// wantNoProcess looks for processes with the session's folder in their environment.
func (s *session) wantNoProcess() {
	var left []string
	for range 50 {
		left = nil
		environs, _ := filepath.Glob("/proc/[0-9]*/environ")
		for _, path := range environs {
			if env, err := os.ReadFile(path); err == nil && bytes.Contains(env, []byte(s.folder)) {
				name, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
				left = append(left, strings.ReplaceAll(string(name), "\x00", " "))
			}
		}
		if len(left) == 0 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.t.Errorf("processes are left: %q", left)
}

// environment is that of the session, with more.
func (s *session) environment(more []string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(s.folder, "home"), "XDG_RUNTIME_DIR=" + filepath.Join(s.folder, "runtime"),
		"DBUS_SESSION_BUS_ADDRESS=" + s.bus,
		"MCPCTL_GATEWAY_URL=" + s.gateway.GatewayURL(), "MCPCTL_CONTROL_PLANE_URL=" + s.gateway.ControlPlaneURL(),
	}, more...)
}

// run runs mcpctl in the session; limit is how long it may take.
func (s *session) run(limit time.Duration, env []string, stdin string, args ...string) (code int, stdout, stderr string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(s.t), args...)
	cmd.Env = s.environment(env)
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	start := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	took := time.Since(start).Round(time.Millisecond)
	s.t.Logf("mcpctl %s: exit %d after %v\n%s%s", strings.Join(args, " "), cmd.ProcessState.ExitCode(), took, &out, &errs)
	if took > limit {
		s.t.Errorf("mcpctl %s took %v, which is more than %v", args[0], took, limit)
	}
	if strings.Contains(out.String()+errs.String(), s.gateway.Keys().User) {
		s.t.Errorf("mcpctl %s shows the key", args[0])
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

func (s *session) want(what string, got, want any) {
	s.t.Helper()
	if got != want {
		s.t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestUnlockedKeyring(t *testing.T) {
	s := newSession(t, "unlocked")
	const quick = 3 * time.Second // a keyring that works answers in milliseconds
	key := s.gateway.Keys().User
	code, _, _ := s.run(quick, nil, key+"\n", "login", "--with-key")
	s.want("login", code, 0)
	code, stdout, _ := s.run(quick, nil, "", "status", "--jq", `"\(.credential.kind) \(.can_invoke)"`)
	s.want("status", fmt.Sprint(code, stdout), "0keyring true\n")
	code, stdout, _ = s.run(quick, nil, "", "servers", "ls", "--jq", "length > 0")
	s.want("servers ls", fmt.Sprint(code, stdout), "0true\n")
	// the bus is found without its variable
	code, _, _ = s.run(quick, []string{"DBUS_SESSION_BUS_ADDRESS=autolaunch:"}, "", "status", "--quiet")
	s.want("status without a bus", code, 4)
	if err := os.Symlink(strings.Split(strings.TrimPrefix(s.bus, "unix:path="), ",")[0], filepath.Join(s.folder, "runtime", "bus")); err != nil {
		t.Fatal(err)
	}
	code, _, _ = s.run(quick, []string{"DBUS_SESSION_BUS_ADDRESS="}, "", "status", "--quiet")
	s.want("status with XDG_RUNTIME_DIR", code, 0)
	for range 2 {
		code, _, _ = s.run(quick, nil, "", "logout")
		s.want("logout", code, 0)
	}
	code, _, _ = s.run(quick, nil, "", "status")
	s.want("status after logout", code, 4)
}

// A keyring that doesn't answer costs the promised time and no more, never leads to a plain file by itself, and is no
// obstacle to the other places for a key.
func TestKeyringsThatFail(t *testing.T) {
	for state, tc := range map[string]struct {
		status int    // exit code of status; 4 where there can be no key at all
		logout int    // exit code of logout
		says   string // in the errors
		helps  string
	}{
		"locked":  {1, 1, "is locked", "unlock it"},
		"silent":  {1, 1, "doesn't answer", "prompt"},
		"stopped": {1, 1, "doesn't answer", "daemon hangs"},
		"absent":  {4, 1, "isn't there", "install gnome-keyring"},
	} {
		t.Run(state, func(t *testing.T) {
			t.Parallel() // most of it is waiting
			s := newSession(t, state)
			const limit = 5*time.Second + 2*time.Second // what the keyring gets, and what a busy machine may add
			key := s.gateway.Keys().User
			for _, c := range []struct {
				command []string
				code    int
			}{{[]string{"login", "--with-key"}, 1}, {[]string{"status"}, tc.status}, {[]string{"logout"}, tc.logout}} {
				code, _, stderr := s.run(limit, nil, key+"\n", c.command...)
				s.want(c.command[0], code, c.code)
				for _, part := range []string{tc.says, tc.helps, "--insecure-storage", "MCPCTL_API_KEY"} {
					if !strings.Contains(stderr, part) {
						t.Errorf("%s doesn't say %q: %s", c.command[0], part, stderr)
					}
				}
			}
			if found, _ := filepath.Glob(filepath.Join(s.folder, "home", ".config", "mcpctl", "*")); len(found) > 0 {
				t.Errorf("files were made: %q", found)
			}
			const quick = 3 * time.Second // the keyring isn't asked at all
			code, _, _ := s.run(quick, []string{"MCPCTL_API_KEY=" + key}, "", "status")
			s.want("status with a variable", code, 0)
			code, _, _ = s.run(quick, nil, key, "login", "--with-key", "--insecure-storage")
			s.want("login --insecure-storage", code, 0)
			code, stdout, _ := s.run(quick, nil, "", "status", "--jq", ".credential.kind")
			s.want("status", fmt.Sprint(code, stdout), "0file\n")
			code, _, _ = s.run(limit, nil, "", "logout")
			s.want("logout of the file", code, 0)
		})
	}
}

// Without a bus no dbus-launch may be started: it would leave a bus and a keyring daemon behind at every call.
func TestNoBus(t *testing.T) {
	if bus := fmt.Sprintf("/run/user/%d/bus", os.Getuid()); exists(bus) {
		t.Logf("this user has a session bus at %s, which would be found: nothing to see here", bus)
		return
	}
	g, err := demo.Start(demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	s := &session{t: t, folder: t.TempDir(), gateway: g}
	bin, trace := filepath.Join(s.folder, "bin"), filepath.Join(s.folder, "launched")
	for _, dir := range []string{bin, filepath.Join(s.folder, "home")} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(bin, "dbus-launch"), []byte("#!/bin/sh\ntouch '"+trace+"'\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"login", "--with-key"}, {"status"}, {"logout"}} {
		code, _, stderr := s.run(3*time.Second, []string{"PATH=" + bin + ":" + os.Getenv("PATH")}, g.Keys().User, args...)
		if code == 0 || !strings.Contains(stderr, "no D-Bus session bus") {
			t.Errorf("%s: exit %d: %s", args[0], code, stderr)
		}
	}
	if exists(trace) {
		t.Error("dbus-launch was started")
	}
	s.wantNoProcess()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
