package promises

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mcpctl/mcpctl/internal/demo"
)

// TestT01NobodyReadsTheEnvironment: a running bridge that has the key from a variable can't be read in /proc by other programs of
// the same user, and would leave no core file. What it starts isn't bound by either.
func TestT01NobodyReadsTheEnvironment(t *testing.T) {
	g := startDemo(t, demo.Options{})
	u := newUser(t).at(g.GatewayURL(), g.ControlPlaneURL())
	u.env["MCPCTL_API_KEY"] = g.Keys().User
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var as *syscall.Credential
	if os.Getuid() == 0 { // whom nothing is hidden from
		as = &syscall.Credential{Uid: 65534, Gid: 65534, NoSetGroups: true}
		u.env["HOME"] = "/nonexistent"
		if err := os.Chmod(filepath.Dir(built.Path(t)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	look := func(pid int, file string) string {
		cmd := exec.CommandContext(ctx, "cat", fmt.Sprintf("/proc/%d/%s", pid, file))
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	cmd := u.command(ctx, "bridge", "notes")
	cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{Credential: as}
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
	_, _ = stdin.Write([]byte(call))
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || !strings.Contains(line, `"result"`) {
		t.Errorf("%q, %v", line, err)
	}
	if got := look(cmd.Process.Pid, "environ"); !strings.Contains(got, "Permission denied") {
		t.Errorf("/proc/PID/environ: %.40q", got)
	}
	if got := look(cmd.Process.Pid, "limits"); !strings.Contains(strings.Join(strings.Fields(got), " "), "Max core file size 0 ") {
		t.Errorf("core files: %s", got)
	}
	if got := look(cmd.Process.Pid, "cmdline"); !strings.Contains(got, "bridge") { // else the other looks show nothing
		t.Errorf("/proc/PID/cmdline: %q", got)
	}
	stdin.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// TestT28NoBusStartsNothing: without a session bus no dbus-launch is started, which would leave a bus and a keyring daemon behind
// at every call.
func TestT28NoBusStartsNothing(t *testing.T) {
	if bus := fmt.Sprintf("/run/user/%d/bus", os.Getuid()); exists(bus) {
		t.Logf("this user has a session bus at %s, which would be found: nothing to see here", bus)
		return
	}
	g := startDemo(t, demo.Options{})
	u := newUser(t).at(g.GatewayURL(), g.ControlPlaneURL())
	launched := filepath.Join(u.home, "launched")
	for _, name := range []string{"dbus-launch", "dbus-daemon", "gnome-keyring-daemon"} {
		u.write("bin/"+name, "#!/bin/sh\ntouch '"+launched+"'\nsleep 1000 &\n", 0o755)
	}
	for _, address := range []string{"", "autolaunch:", "autolaunch:scope=*user"} {
		u.env["DBUS_SESSION_BUS_ADDRESS"] = address
		for _, args := range append(asking(), []string{"logout"}, []string{"login", "--with-key"}, []string{"profile", "rm", "default"}) {
			u.run(g.Keys().User+"\n", args...)
		}
	}
	if !strings.Contains(u.said.String(), "no D-Bus session bus") {
		t.Error("the keyring was never asked, so this shows nothing")
	}
	if exists(launched) {
		t.Error("a bus was started")
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
